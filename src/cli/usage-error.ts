/** A command line that cannot be obeyed: an unknown option, a value that is missing. */
export class UsageError extends Error {
  readonly code = "usage";
  /** The command whose help would tell more. */
  readonly command: string | null;
  constructor(message: string, command: string | null = null) {
    super(message);
    this.name = "UsageError";
    this.command = command;
  }
}
