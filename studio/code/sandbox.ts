import { type ProgramMessage, readMessage } from "./messages.ts";

/** Milliseconds without a word from a program after which it is ended. */
export const patience = 10_000;

/** A program to run, and how its pictures look. */
export interface ProgramText {
  /** Plain JavaScript, its imports turned into calls of `require`. */
  readonly code: string;
  readonly theme: string;
  readonly language: string;
}

/** A program that runs: how to end it. */
export interface Running {
  stop(): void;
}

/** How a program's run ended, where it did not end itself. */
export type Ended = "stopped" | "silent" | "unreachable";

/**
 * Runs a program in a worker inside a frame of opaque origin, whose policy allows it no network, no parent and no storage. Ending it removes the
 * frame, which ends the worker whatever it is doing.
 * @param say what the program says; the last message is `done` or `fault`
 * @param ended called when it was ended from outside: stopped, or silent for `patience`, or its frame never came: a browser loads a frame of
 *   opaque origin past the service worker, from its own store where the host lets it keep the file, else from the host
 */
export function runProgram(
  program: ProgramText,
  preludeUrl: string,
  frameUrl: string,
  say: (message: ProgramMessage) => void,
  ended: (why: Ended) => void,
): Running {
  const frame = document.createElement("iframe");
  frame.setAttribute("sandbox", "allow-scripts");
  frame.hidden = true;
  frame.title = "program";
  let over = false;
  let isHere = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const end = (): void => {
    over = true;
    clearTimeout(timer);
    frame.remove();
  };
  const listen = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      end();
      ended(isHere ? "silent" : "unreachable");
    }, patience);
  };
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = ({ data }) => {
    isHere = true;
    const message = readMessage(data);
    if (over || message === null) return;
    if (message.kind === "done" || message.kind === "fault") end();
    else listen();
    say(message);
  };
  frame.onload = async () => {
    try {
      const answer = await fetch(preludeUrl);
      if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`);
      const prelude = await answer.text();
      if (over) return;
      // "*": an opaque origin has no name; only this frame has the port.
      frame.contentWindow?.postMessage({ prelude, program }, "*", [port2]);
      listen();
    } catch (error) {
      end();
      say({
        kind: "fault",
        text: `the library could not be loaded: ${error instanceof Error ? error.message : String(error)}`,
        line: null,
      });
    }
  };
  frame.src = frameUrl;
  document.body.append(frame);
  return {
    stop: () => {
      if (over) return;
      end();
      ended("stopped");
    },
  };
}
