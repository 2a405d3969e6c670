/** What one step of a program does, and how long it took. */
export interface StepProfile {
  /** `loop`, `product`, `convolution`, `kernel`, `rows` for some of these run together on a few rows at a time, `control` for a loop or choice with bodies, or `host` for an op's own function outside of the compiled code. */
  readonly kind: string;
  /** The ops that it computes, most frequent first. */
  readonly ops: readonly string[];
  /** The shape that it goes over, as in types. */
  readonly shape: string;
  /** The steps whose results it reads, by their numbers; a later round of a loop reads itself, which is not told. */
  readonly reads: readonly number[];
  /** Bytes of memory that it reads and writes, each place counted once. */
  readonly bytes: number;
  /** Arithmetic operations; a function such as exp counts as twelve. 0 where nobody counted them. */
  readonly operations: number;
  /** Milliseconds that these bytes and operations take at least on one thread of a usual processor: see {@link Profile}. */
  readonly predicted: number;
  /** Milliseconds that it took: the median of the rounds. */
  readonly measured: number;
}

/**
 * The steps of a compiled program in order, on one thread. Predictions are the larger of operations at 40 a nanosecond in f32 and 20 in f64, and
 * bytes at 16 a nanosecond: what a core of 2024 reaches in registers, and from its second-level cache. A step far above its prediction waits for memory, or
 * is not compiled well.
 */
export interface Profile {
  readonly steps: readonly StepProfile[];
  /** The sums over the steps. */
  readonly bytes: number;
  readonly operations: number;
  readonly predicted: number;
  readonly measured: number;
  /** A table, the longest step first; `most` steps of it, 20 when left out. */
  text(most?: number): string;
}

/** Sums of steps, and their table. */
export function profileOf(steps: readonly StepProfile[]): Profile {
  const sum = (of: (s: StepProfile) => number): number => steps.reduce((a, s) => a + of(s), 0);
  const measured = sum((s) => s.measured);
  const total = { bytes: sum((s) => s.bytes), operations: sum((s) => s.operations), predicted: sum((s) => s.predicted), measured };
  return {
    steps,
    ...total,
    text(most = 20) {
      const longest = steps.map((s, i) => ({ ...s, i })).sort((a, b) => b.measured - a.measured || a.i - b.i);
      const rows = longest.slice(0, most).map((s) => row(String(s.i), s, measured, `${s.kind} ${s.shape} ${opsText(s.ops)}`));
      const rest = longest.slice(most);
      const whole = row("", total, measured, `${steps.length} steps${rest.length > 0 ? `, ${rest.length} of them not shown` : ""}`);
      const table = [["step", "ms", "%", "predicted", "operations", "bytes", "what"], ...rows, whole];
      const widths = table[0]!.map((_, c) => Math.max(...table.map((r) => r[c]!.length)));
      return table.map((r) => r.map((x, c) => (c === r.length - 1 ? x : x.padStart(widths[c]!))).join("  ")).join("\n");
    },
  };
}

interface Sums {
  readonly bytes: number;
  readonly operations: number;
  readonly predicted: number;
  readonly measured: number;
}

function row(name: string, s: Sums, whole: number, what: string): string[] {
  const share = whole > 0 ? ((100 * s.measured) / whole).toFixed(1) : "";
  return [name, s.measured.toFixed(4), share, s.predicted.toFixed(4), String(s.operations), String(s.bytes), what];
}

function opsText(ops: readonly string[]): string {
  return ops.length > 6 ? `${ops.slice(0, 6).join(" ")} and ${ops.length - 6} more` : ops.join(" ");
}
