import { type ChildProcess, spawn } from "node:child_process";
import { connect, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { guardSource } from "../../src/mpi/guard.ts";

const token = "a word of this test";
const started: ChildProcess[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill("SIGKILL");
});

/** A guard of three ranks, and what it writes until it ends. */
async function guarded(silence = 60_000): Promise<{
  readonly join: (rank: number) => Promise<Socket>;
  readonly leave: () => Promise<{ readonly said: string; readonly code: number | null }>;
  readonly said: () => string;
}> {
  const child = spawn(process.execPath, ["-e", guardSource()], { stdio: ["pipe", "pipe", "pipe"] });
  started.push(child);
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (piece: string) => {
    said += piece;
  });
  const over = new Promise<number | null>((resolve) => child.on("close", resolve));
  child.stdin.write(`${JSON.stringify({ size: 3, token, names: ["a", "b", "c"], address: "127.0.0.1", silence })}\n`);
  const port = await new Promise<number>((resolve) => child.stdout.once("data", (text) => resolve(Number(text))));
  return {
    said: () => said,
    join: async (rank) => {
      const socket = connect({ host: "127.0.0.1", port });
      socket.on("error", () => undefined);
      socket.write(`${JSON.stringify({ token, rank })}\n`);
      // Its first beat says that the guard knows who this is.
      await new Promise<void>((resolve) => socket.once("data", () => resolve()));
      return socket;
    },
    leave: async () => {
      child.stdin.end();
      const code = await over;
      return { said, code };
    },
  };
}

const tell = (socket: Socket, what: object): void => {
  socket.write(`${JSON.stringify(what)}\n`);
};
const everyone = async (guard: { readonly join: (rank: number) => Promise<Socket> }): Promise<readonly [Socket, Socket, Socket]> => [
  await guard.join(0),
  await guard.join(1),
  await guard.join(2),
];

test("the guard names the first rank that is gone, once, tells the others why, and ends with rank 0", async () => {
  const guard = await guarded();
  const [first, second, third] = await everyone(guard);
  const told = new Promise<string>((resolve) => {
    third.on("data", (text) => String(text).includes("verdict") && resolve(String(text)));
  });
  second.end();
  const message = "rank 1 (b) has died: its process ended without a word (killed, out of memory, or crashed)";
  expect(await told).toContain(JSON.stringify({ verdict: message }));
  first.end();
  third.end();
  expect(await guard.leave()).toEqual({ said: `chainrule: ${message}\n`, code: 0 });
});

test("the guard says nothing of ranks that say goodbye, or that a signal ends together", async () => {
  for (const note of [{ bye: 1 }, { signal: "SIGINT" }]) {
    const guard = await guarded();
    for (const socket of await everyone(guard)) {
      tell(socket, note);
      socket.end();
    }
    expect(await guard.leave()).toEqual({ said: "", code: 0 });
  }
});

test("a signal that was for one rank alone is named, not the ranks that its launcher ends then", async () => {
  const guard = await guarded();
  const [first, second, third] = await everyone(guard);
  tell(third, { signal: "SIGTERM" });
  third.end();
  await new Promise<void>((resolve) => third.on("close", () => resolve()));
  first.destroy();
  second.destroy();
  expect((await guard.leave()).said).toBe("chainrule: rank 2 (c) has died: SIGTERM ended its process\n");
});

test("a rank that is silent is lost, and all ranks that are silent together are not", async () => {
  const guard = await guarded(2500);
  const [first, second, third] = await everyone(guard);
  await new Promise<void>((resolve) => setTimeout(resolve, 3000));
  expect(guard.said()).toBe("");
  const beats = setInterval(() => {
    for (const socket of [first, third]) tell(socket, { beat: 1 });
  }, 100);
  await new Promise<void>((resolve) => second.on("data", (text) => String(text).includes("verdict") && resolve()));
  clearInterval(beats);
  first.end();
  third.end();
  expect((await guard.leave()).said).toBe(
    "chainrule: rank 1 (b) has not been heard of for 2.5 s: it is stopped, or its machine hangs or is cut off\n",
  );
});

test("rank 0 that is gone before it has come to the guard is named too", async () => {
  const guard = await guarded();
  await guard.join(1);
  expect((await guard.leave()).said).toMatch(/^chainrule: rank 0 \(a\) has died/);
});
