import { GraphError } from "../ir/errors.ts";
import { layoutScene } from "./layout/layout-scene.ts";
import { profileWords } from "./profile-words.ts";
import type { Direction, Scene, SceneItem, SceneWire, Theme } from "./scene.ts";
import { renderSvg } from "./svg.ts";

/** A step as its picture needs it; the steps of `program.profile()` are such. */
export interface TimedStep {
  readonly kind: string;
  readonly ops: readonly string[];
  readonly shape: string;
  /** Numbers of earlier steps. */
  readonly reads: readonly number[];
  readonly bytes: number;
  readonly operations: number;
  readonly predicted: number;
  readonly measured: number;
}

/** Options of {@link drawProfile}. */
export interface ProfilePictureOptions {
  /** The longest so many steps have boxes of their own, and neighbours among the others share one; 40 when left out. */
  readonly most?: number;
  readonly language?: "en" | "ko";
  readonly theme?: Theme;
  /** Where the wires run; `down` when left out. */
  readonly direction?: Direction;
}

/**
 * A profile as a picture: a box for each step of the program, coloured by its share of the time, and a wire to every step that reads its results.
 * Many steps are folded to the longest ones.
 * @returns an SVG document
 * @throws GraphError when `most` is no whole number, 1 or more
 */
export function drawProfile(profile: { readonly steps: readonly TimedStep[] }, options: ProfilePictureOptions = {}): string {
  const scene = profileScene(profile.steps, options);
  return renderSvg(scene, layoutScene(scene), { language: options.language ?? "en" });
}

/** Steps that are one box: one that counts, or short ones that follow each other. */
interface Box {
  readonly first: number;
  readonly steps: TimedStep[];
  readonly kept: boolean;
}

/** Ops in as many letters as a box has room for beside a shape: of many the first and the last. The title of the box has them all. */
function shortly(ops: readonly string[]): string {
  const whole = ops.join(" ");
  if (whole.length <= 20 || ops.length === 1) return whole;
  const [first, last] = [ops[0]!, ops[ops.length - 1]!];
  return ops.length === 2 ? `${first.slice(0, 9)}… ${last}` : `${first} … ${last}`;
}

function profileScene(
  steps: readonly TimedStep[],
  { most = 40, language = "en", theme, direction = "down" }: ProfilePictureOptions,
): Scene {
  if (!Number.isInteger(most) || most < 1) throw new GraphError(`drawProfile: most is ${most}; it is a whole number, 1 or more`);
  const words = profileWords[language];
  const whole = steps.reduce((sum, s) => sum + s.measured, 0);
  const longest = new Set(
    steps
      .map((s, i) => ({ i, time: s.measured }))
      .sort((a, b) => b.time - a.time || a.i - b.i)
      .slice(0, most)
      .map(({ i }) => i),
  );
  const boxes: Box[] = [];
  /** The box of each step. A folded run is in the program's order, so that no wire leads back. */
  const boxOf = steps.map((step, i) => {
    const kept = longest.has(i);
    const last = boxes[boxes.length - 1];
    if (last !== undefined && !kept && !last.kept) last.steps.push(step);
    else boxes.push({ first: i, steps: [step], kept });
    return boxes.length - 1;
  });
  const top = Math.max(0, ...boxes.map(({ steps: some }) => timeOf(some))) || 1;
  const items = boxes.map(({ first, steps: some, kept }, b): SceneItem => {
    const time = timeOf(some);
    const share = whole > 0 ? `${((100 * time) / whole).toFixed(1)}%` : "0%";
    const [only] = some as [TimedStep];
    const single = kept || some.length === 1;
    const what = single ? `${only.ops.join(" ")} ${only.shape}` : words.folded(some.length);
    const sum = (of: (s: TimedStep) => number): string =>
      some.reduce((total, s) => total + of(s), 0).toLocaleString("en", { maximumSignificantDigits: 4 });
    return {
      id: String(b),
      kind: "op",
      label: single ? `${shortly(only.ops)} ${only.shape}` : what,
      title: `${words.step(first, `${only.kind} ${what}`)}: ${words.facts(
        sum((s) => s.measured),
        share,
        sum((s) => s.predicted),
        sum((s) => s.operations),
        sum((s) => s.bytes),
      )}`,
      note: share,
      heat: time / top,
    };
  });
  const wires: SceneWire[] = [];
  const seen = new Set<string>();
  const inputs = new Array<number>(boxes.length).fill(0);
  steps.forEach(({ reads }, i) => {
    for (const from of reads) {
      const [a, b] = [boxOf[from]!, boxOf[i]!];
      if (a === b || seen.has(`${a} ${b}`)) continue;
      seen.add(`${a} ${b}`);
      wires.push({ from: String(a), output: 0, to: String(b), input: inputs[b]!++, above: "", below: "", gradient: "unknown" });
    }
  });
  return {
    title: words.title(steps.length, whole.toFixed(3)),
    description: words.description,
    items,
    wires,
    direction,
    ...(theme !== undefined && { theme }),
  };
}

const timeOf = (steps: readonly TimedStep[]): number => steps.reduce((sum, s) => sum + s.measured, 0);
