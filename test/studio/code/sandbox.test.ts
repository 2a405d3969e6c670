import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { ProgramMessage } from "../../../studio/code/messages.ts";
import { patience, type Running, runProgram } from "../../../studio/code/sandbox.ts";

/** A frame that stands in for a browser's: the test says when it is loaded, and holds the other end of its port. */
class Frame {
  onload: (() => Promise<void>) | null = null;
  contentDocument: object | null = null;
  isSandboxed = false;
  isRemoved = false;
  port: MessagePort | null = null;
  readonly contentWindow = {
    postMessage: (_: unknown, __: string, [port]: [MessagePort]): void => {
      this.port = port;
    },
  };
  setAttribute(): void {
    this.isSandboxed = true;
  }
  remove(): void {
    this.isRemoved = true;
  }
}

let frames: Frame[];
let said: ProgramMessage[];
let ended: string[];
let running: Running;

beforeEach(() => {
  frames = [];
  said = [];
  ended = [];
  vi.useFakeTimers();
  vi.stubGlobal("fetch", async () => new Response("library"));
  vi.stubGlobal("document", { createElement: () => new Frame(), body: { append: (frame: Frame) => frames.push(frame) } });
});

afterEach(() => {
  running.stop();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function start(isControlled: boolean): void {
  vi.stubGlobal("navigator", { serviceWorker: { controller: isControlled ? {} : null } });
  running = runProgram(
    { code: "", theme: "light", language: "en" },
    "library.js",
    "frame.html",
    (message) => said.push(message),
    (why) => ended.push(why),
  );
}

/** A message goes through a port in a task of its own, which no timer of the test is. */
async function passed(): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  const arrived = new Promise((resolve) => {
    port2.onmessage = resolve;
  });
  port1.postMessage(null);
  await arrived;
  port1.close();
}

async function word(frame: Frame, data: unknown): Promise<void> {
  frame.port!.postMessage(data);
  await passed();
  await passed();
}

describe("the frame of a program", () => {
  test("is made opaque by the service worker's policy where there is one, else by its element", () => {
    start(true);
    expect(frames.map(({ isSandboxed }) => isSandboxed)).toEqual([false]);
    running.stop();
    start(false);
    expect(frames.map(({ isSandboxed }) => isSandboxed)).toEqual([false, true]);
  });

  test("gets no program where the page can look into it, and another takes its place", async () => {
    start(true);
    frames[0]!.contentDocument = {};
    await frames[0]!.onload!();
    expect(frames[0]).toMatchObject({ port: null, isRemoved: true });
    expect(frames[1]).toMatchObject({ isSandboxed: true });
    await frames[1]!.onload!();
    await word(frames[1]!, { kind: "here" });
    await word(frames[1]!, { kind: "done" });
    expect(said).toEqual([{ kind: "done" }]);
    expect(ended).toEqual([]);
  });

  test("that never comes, and no event says so, ends with a word; where the service worker has none the host is asked", () => {
    start(true);
    vi.advanceTimersByTime(20_000);
    expect({ frames: frames.map((frame) => frame.isRemoved), ended }).toEqual({ frames: [true, false], ended: [] });
    vi.advanceTimersByTime(20_000);
    expect({ frames: frames.map((frame) => frame.isRemoved), ended }).toEqual({ frames: [true, true], ended: ["unreachable"] });
  });

  test("that never answers gives way to one from the host, and that one to a word", async () => {
    start(true);
    await frames[0]!.onload!();
    await vi.advanceTimersByTimeAsync(3000);
    expect(frames.map(({ isSandboxed, isRemoved }) => [isSandboxed, isRemoved])).toEqual([
      [false, true],
      [true, false],
    ]);
    await frames[1]!.onload!();
    await vi.advanceTimersByTimeAsync(patience);
    expect(ended).toEqual(["unreachable"]);
  });

  test("that is no longer there is told from a program that is silent", async () => {
    start(false);
    await frames[0]!.onload!();
    await word(frames[0]!, { kind: "here" });
    await vi.advanceTimersByTimeAsync(9000);
    expect(ended).toEqual(["gone"]);
    expect(frames[0]!.isRemoved).toBe(true);

    start(false);
    await frames[1]!.onload!();
    frames[1]!.port!.onmessage = () => frames[1]!.port!.postMessage({ kind: "here" });
    await word(frames[1]!, { kind: "here" });
    for (let second = 0; second < 10; second++) {
      await vi.advanceTimersByTimeAsync(1000);
      await passed();
      await passed();
    }
    expect(ended).toEqual(["gone", "silent"]);
  });

  test("that says of a program that it floods ends it with a sentence", async () => {
    start(false);
    await frames[0]!.onload!();
    await word(frames[0]!, { kind: "flood" });
    expect(said).toEqual([{ kind: "fault", text: expect.stringContaining("more than can be shown: 4,000 things at once"), line: null }]);
    expect(frames[0]!.isRemoved).toBe(true);
  });
});
