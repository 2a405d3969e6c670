/** What a command reads and writes: the process's own streams, or those of a test. */
export interface CommandIo {
  /** Writes to standard output; settles when there is room for more. */
  readonly write: (text: string) => Promise<void> | void;
  readonly writeError: (text: string) => void;
  /** Whether standard output, and standard error, are terminals. */
  readonly isTerminal: { readonly output: boolean; readonly error: boolean };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The bytes of a file, or of standard input for `-`, piece by piece. */
  readonly readBytes: (path: string) => AsyncIterable<Uint8Array>;
  readonly version: string;
  /** Takes over the keyboard, where standard input is a terminal. */
  readonly keys?: () => Keys;
  /** Lines of the terminal, and characters in one. */
  readonly rows?: number;
  readonly columns?: number;
  /** Calls back at the first Ctrl-C instead of ending the process, until the function that it gives is called. A second one ends it. */
  readonly onInterrupt?: (stop: () => void) => () => void;
}

/** Keys as they are pressed, without waiting for a line. */
export interface Keys {
  /** What the terminal sent for the next key, an escape sequence for arrows and the like; null when the terminal is gone. */
  next(): Promise<string | null>;
  /** Gives the keyboard back. */
  close(): void;
}

/** Exit codes: what was asked was done; a batch line or a check failed; the input was bad; a fault of chainrule itself; stopped by Ctrl-C. */
export const exitCodes = { done: 0, failed: 1, badInput: 2, fault: 3, interrupted: 130 } as const;
