import { type ProgramMessage, readMessage } from "./messages.ts";

/** Milliseconds without a word from a program after which it is ended. */
export const patience = 10_000;

/** A program to run, and how its pictures look. */
export interface ProgramText {
  /** Plain JavaScript, its imports turned into calls of `require`. */
  readonly code: string;
  readonly theme: string;
  readonly language: string;
  /** How many lines stand before the program, where it is in the same text as the library. */
  readonly before?: number;
}

/** A program that runs: how to end it. */
export interface Running {
  stop(): void;
}

/**
 * How a program's run ended, where it did not end itself: it was stopped; it said nothing for `patience`; its frame is no longer there, which is
 * what a browser does to a frame with a process of its own whose memory is full; its frame never came.
 */
export type Ended = "stopped" | "silent" | "gone" | "unreachable";

/** Milliseconds in which a frame comes: Firefox tells nobody of one that a header keeps out. */
const journey = 20_000;
/** Milliseconds in which a frame that has come answers. */
const arrival = 3000;
/** How often a frame is asked whether it is there, in milliseconds, and how many times in a row it may be silent. */
const pulse = 1000;
const mostMissed = 8;

/**
 * Runs a program in a worker inside a frame of opaque origin, whose policy allows it no network, no parent and no storage. Ending it removes the
 * frame, which ends the worker whatever it is doing.
 *
 * Where a service worker controls the page, the frame comes from it, with the policy `sandbox` that makes its origin opaque, so that programs run
 * without a network; where none does, or it fails, the frame comes from the host and its element makes it opaque.
 * @param say what the program says; the last message is `done` or `fault`
 * @param ended called when it was ended from outside
 */
export function runProgram(
  program: ProgramText,
  preludeUrl: string,
  frameUrl: string,
  say: (message: ProgramMessage) => void,
  ended: (why: Ended) => void,
): Running {
  const prelude = textAt(preludeUrl);
  let frame: HTMLIFrameElement | undefined;
  let port: MessagePort | undefined;
  let over = false;
  let missed = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let beat: ReturnType<typeof setInterval> | undefined;
  const close = (): void => {
    clearTimeout(timer);
    clearInterval(beat);
    port?.close();
    frame?.remove();
  };
  const end = (why?: Ended): void => {
    over = true;
    close();
    if (why !== undefined) ended(why);
  };
  const listen = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => end("silent"), patience);
  };
  const hear = (data: unknown): void => {
    if (over) return;
    missed = 0;
    if (beat === undefined) {
      // Its first word: the frame is here.
      listen();
      beat = setInterval(() => {
        if (++missed > mostMissed) end("gone");
        else port?.postMessage(null);
      }, pulse);
    }
    const message = isFlood(data) ? flood : readMessage(data);
    if (message === null) return;
    if (message.kind === "done" || message.kind === "fault") end();
    else listen();
    say(message);
  };
  const open = (isKept: boolean): void => {
    const opened = document.createElement("iframe");
    if (!isKept) opened.setAttribute("sandbox", "allow-scripts");
    opened.hidden = true;
    opened.title = "program";
    const fail = (): void => {
      if (isKept) {
        close();
        open(false);
      } else end("unreachable");
    };
    opened.onload = async () => {
      clearTimeout(timer);
      try {
        const text = await prelude;
        if (over || frame !== opened) return;
        // A document that this page can look into has not got its policy.
        if (opened.contentDocument !== null) {
          fail();
          return;
        }
        const { port1, port2 } = new MessageChannel();
        port = port1;
        port1.onmessage = ({ data }) => hear(data);
        // "*": an opaque origin has no name; only this frame has the port.
        opened.contentWindow?.postMessage({ prelude: text, program }, "*", [port2]);
        timer = setTimeout(fail, isKept ? arrival : patience);
      } catch (error) {
        if (over) return;
        end();
        say({
          kind: "fault",
          text: `the library could not be loaded: ${error instanceof Error ? error.message : String(error)}`,
          line: null,
        });
      }
    };
    frame = opened;
    timer = setTimeout(fail, journey);
    opened.src = frameUrl;
    document.body.append(opened);
  };
  open(navigator.serviceWorker?.controller != null);
  return {
    stop: () => {
      if (!over) end("stopped");
    },
  };
}

/** What the frame says when a program says too much. */
function isFlood(data: unknown): boolean {
  return typeof data === "object" && data !== null && "kind" in data && data.kind === "flood";
}

const flood: ProgramMessage = {
  kind: "fault",
  text: "the program says more than can be shown: 4,000 things at once, or 400 a second",
  line: null,
};

async function textAt(url: string): Promise<string> {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`);
  return answer.text();
}
