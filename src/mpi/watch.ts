import { guardSource, talk } from "./guard.ts";
import { builtin, type NodeWorker } from "./node.ts";

/** Words at the beginning of the memory that a watch and its rank share; texts follow. */
const at = { port: 0, verdict: 1, out: 2, leaving: 3, left: 4, linked: 5, signal: 6 } as const;
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
  /** Where the guard listens; rank 0 itself says which address it is to listen on. */
  readonly port: number;
  readonly addresses: readonly string[];
  /** Milliseconds without a word after which a rank is lost. */
  readonly silence: number;
}

/*
 * What the thread runs, as text: it needs no file and nothing of the library. The one of rank 0 starts the guard, and all stay connected to it: they say twice a second that they are there,
 * whatever their main threads compute or wait for, and hear why all have to end.
 */
const source = (): string => `
const { workerData } = process.getBuiltinModule("node:worker_threads");
${talk}
const { shared, rank, size, token, names, port, addresses, silence, guardText } = workerData;
const words = new Int32Array(shared, 0, 16);
const bytes = new Uint8Array(shared);
let over = false;
const put = (place, text) => {
  const own = Buffer.from(text).subarray(0, ${mostBytes});
  bytes.set(own, place);
  return own.length;
};
const set = (place, value) => { Atomics.store(words, place, value); Atomics.notify(words, place); };
const named = (who) => "rank " + who + " (" + names[who] + ")";
// From here on the main thread may end this process at any moment.
const conclude = (message) => {
  set(${at.verdict}, put(${texts.verdict}, message));
  // A main thread that computes for long, or is lost in the MPI library, is not waited for.
  setTimeout(() => process.kill(process.pid, "SIGKILL"), 8000);
};
const decide = (message, speaks) => {
  if (over) return;
  over = true;
  if (speaks) speak(message);
  conclude(message);
};
const outgoing = () => {
  const length = Atomics.exchange(words, ${at.out}, 0);
  if (length === 0) return null;
  const text = Buffer.from(bytes.slice(${texts.out}, ${texts.out} + length)).toString();
  return { fail: text.slice(1), told: text[0] === "1" };
};
const left = () => { over = true; set(${at.left}, 1); };
const connect = (places, port, i) => {
  if (i === places.length) {
    set(${at.linked}, -1);
    setInterval(() => {
      const fault = outgoing();
      if (fault !== null) decide(named(rank) + ": " + fault.fail, !fault.told);
      if (Atomics.load(words, ${at.leaving}) !== 0) left();
    }, tick);
    return;
  }
  const socket = net.connect({ host: places[i], port });
  const giveUp = setTimeout(() => socket.destroy(), 3000);
  let linked = false, heard = Date.now(), last = heard, said = 0, bye = false, signalled = false;
  socket.setNoDelay(true);
  lines(socket, (told) => {
    heard = Date.now();
    // The guard knows who this is.
    if (!linked) { linked = true; set(${at.linked}, 1); }
    if (told.verdict) decide(told.verdict, false);
    if (told.bye) bye = true;
  });
  socket.on("connect", () => {
    clearTimeout(giveUp);
    heard = last = Date.now();
    say(socket, { token, rank });
    setInterval(() => {
      const now = Date.now();
      // A gap between two ticks means that this process itself was stopped or asleep: what it did not hear then is nobody's fault.
      if (now - last > 2000) heard = now;
      last = now;
      if (!bye && now - heard > silence) decide(named(0) + " has not been heard of for " + silence / 1000 + " s: it is stopped, or its machine hangs or is cut off", rank === 1);
      const fault = outgoing();
      if (fault !== null) say(socket, fault);
      const signal = Atomics.load(words, ${at.signal});
      if (signal !== 0 && !signalled) { signalled = true; say(socket, { signal: signal === 2 ? "SIGINT" : "SIGTERM" }); }
      if (now - said >= beat) { said = now; say(socket, { beat: 1 }); }
      if (Atomics.load(words, ${at.leaving}) !== 0 && !over) {
        over = true;
        bye = true;
        say(socket, { bye: 1 });
        setTimeout(left, 10);
      }
    }, tick);
  });
  socket.on("close", () => {
    clearTimeout(giveUp);
    if (!linked) connect(places, port, i + 1);
    else if (!bye) {
      const message = "the guard of the ranks, a process beside rank 0 (" + names[0] + "), is gone, and without it a rank that is lost would not be noticed";
      // Rank 0 says so if it is still there, and then ends all: within 8 s, however late its main thread is.
      if (rank === 0) decide(message, true);
      else setTimeout(() => decide(message, rank === 1), 10000);
    }
  });
};
if (rank > 0) connect(addresses, port, 0);
else {
  const { spawn } = process.getBuiltinModule("node:child_process");
  const [address] = addresses;
  const failed = () => { if (Atomics.load(words, ${at.port}) === 0) { set(${at.port}, -1); connect([], 0, 0); } };
  try {
    const env = { ...process.env, NODE_OPTIONS: "" };
    const guard = spawn(process.execPath, ["--no-warnings", "-e", guardText], { detached: true, env, stdio: ["pipe", "pipe", 2] });
    guard.on("error", failed).on("exit", failed);
    guard.stdin.on("error", () => {});
    guard.stdin.write(JSON.stringify({ size, token, names, address, silence }) + "\\n");
    guard.stdout.once("data", (text) => {
      set(${at.port}, Number(text));
      connect([address === "0.0.0.0" ? "127.0.0.1" : address], Number(text), 0);
    });
  } catch { failed(); }
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
    const guardText = facts.rank === 0 ? guardSource() : "";
    this.worker = new Worker(source(), { eval: true, workerData: { ...facts, shared, guardText }, execArgv: [], name: "chainrule ranks" });
    this.worker.unref();
  }

  /** The port that the guard listens on; 0 where there is none. */
  port(): number {
    Atomics.wait(this.words, at.port, 0, 30_000);
    return Math.max(0, Atomics.load(this.words, at.port));
  }

  /** Whether this rank has reached the guard, as soon as that is known. */
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

  /** Says that a signal is about to end this rank. */
  signalled(signal: "SIGINT" | "SIGTERM"): void {
    Atomics.store(this.words, at.signal, signal === "SIGINT" ? 2 : 15);
  }

  /** Says goodbye: that this rank is gone from now on is no fault. */
  leave(): void {
    Atomics.store(this.words, at.leaving, 1);
    Atomics.wait(this.words, at.left, 0, 5000);
  }
}
