import { builtin, type NodeWorker } from "./node.ts";

/** Words at the beginning of the memory that a watch and its rank share; texts follow. */
const at = { port: 0, verdict: 1, out: 2, leaving: 3, left: 4, linked: 5 } as const;
const texts = { verdict: 64, out: 64 + 8192 } as const;
const mostBytes = 8192;

/** What a watch is told. */
export interface WatchFacts {
  readonly rank: number;
  readonly size: number;
  /** Known to the ranks of one run alone: who does not say it is no rank. */
  readonly token: string;
  /** What ranks are called in messages. */
  readonly names: readonly string[];
  /** Where rank 0 listens; rank 0 itself says which addresses it listens on. */
  readonly port: number;
  readonly addresses: readonly string[];
  /** Milliseconds without a word after which a rank is lost. */
  readonly silence: number;
}

/*
 * What the thread runs, as text: it needs no file and nothing of the library. Rank 0 listens, the others stay connected to it, and all say twice a second that
 * they are there, whatever their main threads compute or wait for. Who is gone or silent is told to all, and the first that can says it to people.
 */
const source = (): string => `
const { workerData } = process.getBuiltinModule("node:worker_threads");
const net = process.getBuiltinModule("node:net");
const fs = process.getBuiltinModule("node:fs");
const { shared, rank, size, token, names, port, addresses, silence } = workerData;
const words = new Int32Array(shared, 0, 16);
const bytes = new Uint8Array(shared);
const tick = 50, beat = 500;
let over = false;
const put = (place, text) => {
  const own = Buffer.from(text).subarray(0, ${mostBytes});
  bytes.set(own, place);
  return own.length;
};
const named = (who) => "rank " + who + " (" + names[who] + ")";
const silent = (who) => named(who) + " has not been heard of for " + silence / 1000 + " s: it is stopped, or its machine hangs or is cut off";
const dead = (who) => named(who) + " has died: its process ended without a word (killed, out of memory, or crashed)";
const speak = (message) => fs.writeSync(2, "chainrule: " + message + "\\n");
// From here on the main thread may end this process at any moment.
const conclude = (message) => {
  const length = put(${texts.verdict}, message);
  Atomics.store(words, ${at.verdict}, length);
  Atomics.notify(words, ${at.verdict});
  // A main thread that computes for long, or is lost in the MPI library, is not waited for.
  setTimeout(() => process.kill(process.pid, "SIGKILL"), 8000);
};
const decide = (message, speaks) => {
  if (over) return;
  over = true;
  if (speaks) speak(message);
  conclude(message);
};
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
  socket.setNoDelay(true);
};
const say = (socket, what) => { if (socket.writable) socket.write(JSON.stringify(what) + "\\n"); };
const outgoing = () => {
  const length = Atomics.exchange(words, ${at.out}, 0);
  if (length === 0) return null;
  const text = Buffer.from(bytes.slice(${texts.out}, ${texts.out} + length)).toString();
  return { fail: text.slice(1), told: text[0] === "1" };
};
let last = Date.now(), said = 0;
// A gap between two ticks means that this process itself was stopped or asleep: what it did not hear then is nobody's fault.
const gap = () => { const now = Date.now(), g = now - last; last = now; return g > 2000; };
const left = () => { over = true; Atomics.store(words, ${at.left}, 1); Atomics.notify(words, ${at.left}); };
if (rank === 0) {
  const peers = new Map();
  const tell = (what) => { for (const p of peers.values()) say(p.socket, what); };
  const judge = (message, told) => {
    if (over) return;
    over = true;
    if (told !== true) speak(message);
    // The others have to hear the verdict before this process is gone: else they take its end for a death, and say so as a second message.
    tell({ verdict: message });
    setTimeout(() => conclude(message), 100);
  };
  const server = net.createServer((socket) => {
    let who = -1;
    lines(socket, (said) => {
      if (who < 0) {
        if (said.token !== token || !Number.isInteger(said.rank) || said.rank < 1 || said.rank >= size) { socket.destroy(); return; }
        who = said.rank;
        peers.set(who, { socket, heard: Date.now(), bye: false });
        return;
      }
      const peer = peers.get(who);
      peer.heard = Date.now();
      if (said.bye) peer.bye = true;
      if (said.fail) judge(named(who) + ": " + said.fail, said.told);
    });
    socket.on("close", () => { if (who >= 0 && !peers.get(who).bye) judge(dead(who)); });
  });
  server.on("error", () => { Atomics.store(words, ${at.port}, -1); Atomics.notify(words, ${at.port}); });
  server.listen(0, addresses[0], () => {
    Atomics.store(words, ${at.port}, server.address().port);
    Atomics.notify(words, ${at.port});
  });
  setInterval(() => {
    const slept = gap(), now = last;
    for (const [who, p] of peers) {
      if (slept) p.heard = now;
      if (!p.bye && now - p.heard > silence) judge(silent(who));
    }
    const fault = outgoing();
    if (fault !== null) judge(named(0) + ": " + fault.fail, fault.told);
    if (now - said >= beat) { said = now; tell({ beat: 1 }); }
    if (Atomics.load(words, ${at.leaving}) !== 0 && !over) {
      over = true;
      tell({ bye: 1 });
      setTimeout(left, 10);
    }
  }, tick);
} else {
  const connect = (i) => {
    if (i === addresses.length) {
      Atomics.store(words, ${at.linked}, -1);
      Atomics.notify(words, ${at.linked});
      setInterval(() => {
        const fault = outgoing();
        if (fault !== null) decide(named(rank) + ": " + fault.fail, !fault.told);
        if (Atomics.load(words, ${at.leaving}) !== 0) left();
      }, tick);
      return;
    }
    const socket = net.connect({ host: addresses[i], port });
    const giveUp = setTimeout(() => socket.destroy(), 3000);
    let linked = false, heard = Date.now(), bye = false;
    lines(socket, (said) => {
      heard = Date.now();
      if (said.verdict) decide(said.verdict, false);
      if (said.bye) bye = true;
    });
    socket.on("connect", () => {
      clearTimeout(giveUp);
      linked = true;
      heard = last = Date.now();
      Atomics.store(words, ${at.linked}, 1);
      Atomics.notify(words, ${at.linked});
      say(socket, { token, rank });
      setInterval(() => {
        const slept = gap(), now = last;
        if (slept) heard = now;
        if (!bye && now - heard > silence) decide(silent(0), rank === 1);
        const fault = outgoing();
        if (fault !== null) say(socket, fault);
        if (now - said >= beat) { said = now; say(socket, { beat: 1 }); }
        if (Atomics.load(words, ${at.leaving}) !== 0 && !over) {
          over = true;
          say(socket, { bye: 1 });
          setTimeout(left, 10);
        }
      }, tick);
    });
    socket.on("close", () => {
      clearTimeout(giveUp);
      if (!linked) connect(i + 1);
      else if (!bye) decide(dead(0), rank === 1);
    });
  };
  connect(0);
}
`;

/** A thread that notices when another rank is gone, and tells the others when this one is. */
export class Watch {
  private readonly words: Int32Array;
  private readonly bytes: Uint8Array;
  private readonly worker: NodeWorker;

  constructor(facts: WatchFacts) {
    const shared = new SharedArrayBuffer(64 + 2 * mostBytes);
    this.words = new Int32Array(shared, 0, 16);
    this.bytes = new Uint8Array(shared);
    const { Worker } = builtin("node:worker_threads");
    this.worker = new Worker(source(), { eval: true, workerData: { ...facts, shared }, execArgv: [], name: "chainrule ranks" });
    this.worker.unref();
  }

  /** The port that rank 0 listens on; 0 where it cannot. */
  port(): number {
    Atomics.wait(this.words, at.port, 0, 10_000);
    return Math.max(0, Atomics.load(this.words, at.port));
  }

  /** Whether this rank has reached rank 0, as soon as that is known. */
  linked(): boolean {
    Atomics.wait(this.words, at.linked, 0, 30_000);
    return Atomics.load(this.words, at.linked) === 1;
  }

  /** Why all ranks have to end, or null. */
  verdict(): string | null {
    const length = Atomics.load(this.words, at.verdict);
    return length === 0 ? null : new TextDecoder().decode(this.bytes.slice(texts.verdict, texts.verdict + length));
  }

  /** Tells all ranks that this one has failed; `told` where people know it already. */
  fail(message: string, told: boolean): void {
    const own = new TextEncoder().encode((told ? "1" : "0") + message).subarray(0, mostBytes);
    this.bytes.set(own, texts.out);
    Atomics.store(this.words, at.out, own.length);
  }

  /** Waits until there is a verdict, so many milliseconds at most. */
  await(milliseconds: number): void {
    Atomics.wait(this.words, at.verdict, 0, milliseconds);
  }

  /** Says goodbye: that this rank is gone from now on is no fault. */
  leave(): void {
    Atomics.store(this.words, at.leaving, 1);
    Atomics.wait(this.words, at.left, 0, 1000);
  }
}
