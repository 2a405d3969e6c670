/** How watches and the guard talk, as text: lines of JSON. */
export const talk = `
const net = process.getBuiltinModule("node:net");
const fs = process.getBuiltinModule("node:fs");
const tick = 50, beat = 500;
const lines = (socket, take) => {
  let rest = "";
  socket.setEncoding("utf8");
  socket.on("data", (piece) => {
    rest += piece;
    for (let end = rest.indexOf("\\n"); end >= 0; end = rest.indexOf("\\n")) {
      const line = rest.slice(0, end);
      rest = rest.slice(end + 1);
      let said = null;
      try { said = JSON.parse(line); } catch {}
      if (said !== null) take(said);
    }
    if (rest.length > 65536) socket.destroy();
  });
  socket.on("error", () => {});
};
const say = (socket, what) => { if (socket.writable) socket.write(JSON.stringify(what) + "\\n"); };
const speak = (message) => {
  // A pipe that is full for a moment is tried again; one that nobody reads any more is nobody's business.
  for (let i = 0; i < 100; i++)
    try { fs.writeSync(2, "chainrule: " + message + "\\n"); return; } catch (error) { if (error.code !== "EAGAIN") return; Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10); }
};
`;

/*
 * What the guard runs, a process of its own beside rank 0. MPICH's launcher kills all ranks in the moment in which one has died, so none of them could say which one it was: the guard is
 * in a session of its own, has rank 0's standard error, and is connected to every rank. The first that is gone without a goodbye is named, once. It holds nothing else of the launcher's, and
 * ends with rank 0, whose end of its standard input closes whatever happens.
 *
 * What is gone first is seen first: connections of dead processes are closed by the kernel, and come in the order of that. A rank that a signal ends says which before: where the signal
 * was sent to all, someone wants the run to end, and there is nothing to tell.
 */
export const guardSource = (): string => `
${talk}
process.title = "chainrule: guard of the ranks";
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(signal, () => {});
process.on("uncaughtException", () => process.exit(1));
// Connections of the launcher that it does not know to be held here too would seem to be open when rank 0 is gone. Node's own are closed on exec, theirs are not.
try {
  for (const name of fs.readdirSync("/proc/self/fd")) {
    const flags = /^flags:\\s*([0-7]+)/m.exec(fs.readFileSync("/proc/self/fdinfo/" + name, "utf8"));
    if (Number(name) > 2 && flags !== null && (parseInt(flags[1], 8) & 0o2000000) === 0) fs.closeSync(Number(name));
  }
} catch {}
const guard = ({ size, token, names, address, silence }) => {
  const named = (who) => "rank " + who + " (" + names[who] + ")";
  const peers = new Map();
  let over = false, alone = false, open = 0, suspect = null;
  const tell = (what) => { for (const p of peers.values()) say(p.socket, what); };
  const judge = (message, told) => {
    if (over) return;
    over = true;
    if (told !== true) speak(message);
    tell({ verdict: message });
  };
  // Whether all that are gone have said goodbye, or that a signal ends them.
  const asked = () => [...peers.values()].every((p) => p.bye || p.signal !== null);
  const accuse = () => { if (suspect !== null) judge(named(suspect.who) + " has died: " + suspect.signal + " ended its process"); };
  const gone = (who) => {
    const peer = peers.get(who);
    if (peer.gone) return;
    peer.gone = true;
    if (peer.bye || over) return;
    if (peer.signal === null) {
      accuse();
      judge(named(who) + " has died: its process ended without a word (killed, out of memory, or crashed)");
    } else if (suspect === null) {
      suspect = { who, signal: peer.signal };
      setTimeout(() => { if (!asked()) accuse(); }, 1000);
    }
  };
  const end = () => { if (alone && open === 0 && peers.has(0) && (over || asked())) process.exit(0); };
  const server = net.createServer((socket) => {
    let who = -1;
    open++;
    socket.setNoDelay(true);
    lines(socket, (said) => {
      if (who < 0) {
        if (said.token !== token || !Number.isInteger(said.rank) || said.rank < 0 || said.rank >= size || peers.has(said.rank)) { socket.destroy(); return; }
        who = said.rank;
        peers.set(who, { socket, heard: Date.now(), bye: false, signal: null, gone: false });
        say(socket, { beat: 1 });
        return;
      }
      const peer = peers.get(who);
      peer.heard = Date.now();
      if (said.bye) peer.bye = true;
      if (said.signal) peer.signal = said.signal;
      if (said.fail) judge(named(who) + ": " + said.fail, said.told);
    });
    // An end and an error alike, before the next connection is looked at: its being closed comes later for one than for the other.
    for (const event of ["end", "error", "close"]) socket.on(event, () => { if (who >= 0) gone(who); });
    socket.on("close", () => { open--; end(); });
  });
  server.on("error", () => process.exit(1));
  server.listen(0, address, () => process.stdout.write(server.address().port + "\\n"));
  // Rank 0 is gone: what its connection says of it may come a moment later.
  process.stdin.on("end", () => {
    alone = true;
    const close = () => {
      if (!over) tell({ bye: 1 });
      for (const p of peers.values()) p.socket.end();
      setTimeout(() => process.exit(0), 500);
    };
    setTimeout(() => {
      if (peers.has(0)) gone(0);
      else judge(named(0) + " has died: its process ended without a word (killed, out of memory, or crashed)");
      setTimeout(close, suspect !== null && !over ? 1200 : 0);
    }, 50);
    end();
  });
  let last = Date.now(), said = 0, stopped = false;
  setInterval(() => {
    const now = Date.now(), live = [...peers.values()].filter((p) => !p.bye && !p.gone);
    // Where this process was stopped or asleep, or all ranks are, what was not heard then is nobody's fault.
    const slept = now - last > 2000;
    last = now;
    const all = live.length > 0 && live.every((p) => now - p.heard > 2000);
    if (slept || (stopped && !all)) for (const p of live) p.heard = now;
    stopped = all;
    if (!all)
      for (const [who, p] of peers)
        if (!p.bye && !p.gone && now - p.heard > silence) judge(named(who) + " has not been heard of for " + silence / 1000 + " s: it is stopped, or its machine hangs or is cut off");
    if (now - said >= beat) { said = now; tell({ beat: 1 }); }
  }, tick);
};
let rest = "", begun = false;
process.stdin.setEncoding("utf8").on("data", (piece) => {
  rest += piece;
  if (begun || !rest.includes("\\n")) return;
  begun = true;
  guard(JSON.parse(rest));
});
process.stdin.on("end", () => { if (!begun) process.exit(1); });
`;
