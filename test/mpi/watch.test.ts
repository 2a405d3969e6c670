import { connect } from "node:net";
import { expect, test } from "vitest";
import { Watch } from "../../src/mpi/watch.ts";

const token = "a word of this test";
const facts = { rank: 0, size: 2, token, names: ["here, process 1", "there, process 2"], silence: 60_000 };

/** Ends the thread of a watch before it ends this process, as it does when all ranks have to end. */
const stopped = (watch: Watch): unknown => (watch as unknown as { readonly worker: { terminate(): unknown } }).worker.terminate();

test("a rank that fails is told by the first one to all others before the first can be gone", async () => {
  const watch = new Watch({ ...facts, port: 0, addresses: ["127.0.0.1"] });
  const socket = connect({ host: "127.0.0.1", port: watch.port() });
  const lines: string[] = [];
  const over = new Promise<void>((resolve) => socket.on("close", () => resolve()).on("error", () => undefined));
  await new Promise<void>((resolve) => {
    // The first beat says that the watch has heard who this is.
    socket.setEncoding("utf8").on("data", (piece: string) => {
      lines.push(...piece.split("\n").filter((line) => line !== ""));
      resolve();
    });
    socket.on("connect", () => socket.write(`${JSON.stringify({ token, rank: 1 })}\n`));
  });
  lines.length = 0;
  watch.fail("out of luck", true);
  // This thread hears nothing until the verdict is there, and then the first rank is gone at once: what it has not said by now it never will.
  watch.await(30_000);
  expect(watch.verdict()).toBe("rank 0 (here, process 1): out of luck");
  stopped(watch);
  await over;
  expect(lines.filter((line) => line.includes("verdict"))).toEqual([JSON.stringify({ verdict: "rank 0 (here, process 1): out of luck" })]);
});

test("who does not know the word of the run is no rank, and is let go", async () => {
  const watch = new Watch({ ...facts, port: 0, addresses: ["127.0.0.1"] });
  const socket = connect({ host: "127.0.0.1", port: watch.port() });
  socket.on("connect", () => socket.write(`${JSON.stringify({ token: "another", rank: 1 })}\n`)).on("error", () => undefined);
  await new Promise<void>((resolve) => socket.on("close", () => resolve()));
  expect(watch.verdict()).toBeNull();
  watch.leave();
  stopped(watch);
});
