import { type Particle, withParticle } from "chainrule";

/**
 * A sentence of the library and its Korean. `{a}` stands for anything in one clause, `{a:w}` for a word without spaces, `{a:t}` for a type, a number or a list of numbers,
 * `{a:s}` for all the rest, with its clauses.
 * In the Korean `{a|은}` is the same text with the particle that agrees with it, and `{a!}` its own Korean where there is one.
 */
export type Row = readonly [english: string, korean: string];

export interface Catalogue {
  /** Whole sentences, and clauses after a semicolon. The first that fits is taken, so the more particular ones come first. */
  readonly rows: readonly Row[];
  /** Parts of sentences. */
  readonly phrases: readonly Row[];
  /** What begins the fallback, by what stands before the first colon. */
  readonly about: Readonly<Record<string, string>>;
}

interface Pattern {
  readonly test: RegExp;
  readonly names: readonly string[];
  readonly korean: string;
}

/** Of one clause; at the beginning of a sentence not what stands before its first colon either. */
const anything = "((?:(?!; )[\\s\\S])+?)";
const anythingFirst = "((?:(?!; |: )[\\s\\S])+?)";
const sentences = "([\\s\\S]+)";
const word = "(\\S+?)";
const typed = "((?:[a-z]+\\d*)?\\[[^\\]]*\\]|[a-z]+\\d+\\[\\]|-?\\d[\\d.,e+-]*|NaN|-?Infinity)";
/** Longer texts than this are told as they are: a pattern that fits nothing looks at a text again from each of its places. */
const longest = 4000;

function patternOf([english, korean]: Row): Pattern {
  const names: string[] = [];
  const source = english
    .split(/(\{\w+(?::[wts])?\})/)
    .map((part, i) => {
      const hole = /^\{(\w+)(?::([wts]))?\}$/.exec(part);
      if (hole === null) return part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
      names.push(hole[1]!);
      return hole[2] === "w"
        ? word
        : hole[2] === "t"
          ? typed
          : hole[2] === "s"
            ? sentences
            : i === 1 && english.startsWith("{") && !english.includes(": ")
              ? anythingFirst
              : anything;
    })
    .join("");
  return { test: new RegExp(`^${source}$`, "u"), names, korean };
}

/** Compiles a catalogue: what gives a library's message in Korean. */
export function koreanOf({ rows, phrases, about }: Catalogue): (message: string) => string {
  const sentences = rows.map(patternOf);
  const parts = phrases.map(patternOf);

  const fitted = (text: string, patterns: readonly Pattern[]): string | null => {
    for (const { test, names, korean } of patterns) {
      const found = test.exec(text);
      if (found === null) continue;
      const values = new Map(names.map((name, i) => [name, found[i + 1]!]));
      return korean.replace(/\{(\w+)(!?)(?:\|([가-힣]+))?\}/g, (_, name: string, deep: string, particle: string | undefined) => {
        const value = values.get(name) ?? "";
        const shown = deep === "" ? value : (fitted(value, parts) ?? sentence(value) ?? value);
        return particle === undefined ? shown : withParticle(shown, particle as Particle);
      });
    }
    return null;
  };

  /** A sentence of clauses, with the op or format before its first colon; null where some of it is not in the catalogue. */
  const sentence = (text: string): string | null => {
    const whole = fitted(text, sentences) ?? facts(text);
    if (whole !== null) return whole;
    const prefix = /^([\p{L}\d_.[\]$]+): (?=\S)/u.exec(text);
    const rest = prefix === null ? null : sentence(text.slice(prefix[0].length));
    if (rest !== null) return `${prefix![1]}: ${rest}`;
    for (let at = text.lastIndexOf("; "); at > 0; at = text.lastIndexOf("; ", at - 1)) {
      const rule = fitted(text.slice(at + 2), sentences);
      const fact = rule === null ? null : sentence(text.slice(0, at));
      if (fact !== null) return `${fact} ${rule}`;
    }
    return null;
  };

  return (message) => {
    const [line = "", ...picture] = message.slice(0, longest).split("\n");
    const name = /^(?:Uncaught )?(?:[A-Z]\w*)?Error: /.exec(line)?.[0] ?? "";
    const place = / \(line (\d+), column (\d+)\)$/.exec(line);
    const said = line.slice(name.length, place === null ? undefined : place.index);
    const where = place === null ? "" : ` (${place[1]}번째 줄, ${place[2]}번째 칸)`;
    const more = picture.length === 0 ? "" : `\n${picture.join("\n")}`;
    const korean = sentence(said);
    if (korean !== null) return korean + where + more;
    const subject = /^([\p{L}\d_.]+)(?:: | )/u.exec(said)?.[1] ?? "";
    const before = Object.hasOwn(about, subject) ? about[subject]! : about["other"]!;
    return `${before} ${said}${where}${more}`;
  };
}

const fact = new RegExp(`^([\\p{L}\\p{N}_.[\\]]+(?: [a-z]+)?) is ${typed}(, a scalar)?$`, "u");

/** Facts such as `x is f64[2], y is f64[3] and axis is 0`. */
function facts(text: string): string | null {
  const told: string[] = [];
  const parts = text.split(/, so (?=\S+ is )|, (?=[\p{L}\d_.[\]]+ is )| and (?=[\p{L}\d_.[\]]+(?: [a-z]+)? is )/u);
  for (const [i, part] of parts.entries()) {
    const found = fact.exec(part);
    if (found === null) return null;
    const [, name = "", value = "", scalar] = found;
    const shown = scalar === undefined ? value : `스칼라(${value})`;
    told.push(`${withParticle(name, "은")} ${i + 1 < parts.length ? shown : scalar === undefined ? `${value}입니다.` : `${shown}입니다.`}`);
  }
  return told.join(", ");
}
