import { type Particle, withParticle } from "chainrule";

/**
 * A sentence of the library and its Korean. `{a}` stands for anything in one clause, `{a:w}` for a word without spaces, `{a:t}` for a type, a number or a list of numbers,
 * `{a:p}` for a name, a value or a phrase of the catalogue, which is told in Korean, `{a:s}` for all the rest, with its clauses. A hole whose name begins with `_` is not told.
 * In the Korean `{a|은}` is the same text with the particle that agrees with it, and `{a!}` its own Korean where there is one.
 */
export type Row = readonly [english: string, korean: string];

export interface Catalogue {
  /** Whole sentences, and clauses after a semicolon. Of those that fit, the one with the most text of its own is taken. */
  readonly rows: readonly Row[];
  /** Parts of sentences. */
  readonly phrases: readonly Row[];
  /** What begins the fallback, by what stands before the first colon. */
  readonly about: Readonly<Record<string, string>>;
}

interface Hole {
  readonly name: string;
  readonly kind: string;
}

/** A row, compiled when a text first has its rarest word. */
interface Pattern {
  readonly english: string;
  readonly korean: string;
  readonly rank: number;
  test: RegExp | null;
  holes: readonly Hole[];
}

/** Of one clause; at the beginning of a sentence not what stands before its first colon either. */
const anything = "((?:(?!; )[\\s\\S])+?)";
const anythingFirst = "((?:(?!; |: )[\\s\\S])+?)";
const kinds: Readonly<Record<string, string>> = {
  s: "([\\s\\S]+)",
  w: "(\\S+?)",
  t: "((?:[a-z]+\\d*)?\\[[^\\]]*\\]|[a-z]+\\d+\\[\\]|-?\\d[\\d.,e+-]*|NaN|-?Infinity)",
};
const holesOf = /\{(\w+)(?::([wtsp]))?\}/g;
/** Names and values as they stand in code, or several of them. */
const plain = /^(?:(?:"[^"]*"|[\w.]*\[[^\]]*\]|[^\s"]*[^\s",])(?:, (?=\S)|$))+$/u;
/** Longer texts than this are told as they are: a pattern that fits nothing looks at a text again from each of its places. */
const longest = 4000;

function compiled(pattern: Pattern): RegExp {
  if (pattern.test !== null) return pattern.test;
  const { english } = pattern;
  const holes: Hole[] = [];
  let source = "";
  let from = 0;
  for (const hole of english.matchAll(holesOf)) {
    const [all, name = "", kind = ""] = hole;
    source += english.slice(from, hole.index).replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    source += kinds[kind] ?? (hole.index === 0 && (kind === "p" || !english.includes(": ")) ? anythingFirst : anything);
    holes.push({ name, kind });
    from = hole.index + all.length;
  }
  pattern.holes = holes;
  pattern.test = new RegExp(`^${source}${english.slice(from).replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`, "u");
  return pattern.test;
}

/** Rows by their rarest whole word, so that a text is held to a handful of them. */
interface Index {
  readonly byWord: ReadonlyMap<string, readonly Pattern[]>;
  readonly wordless: readonly Pattern[];
}

const words = /[A-Za-z]{2,}/g;

/** The words of a row's own text that no hole can lengthen. */
function wordsOf(english: string): string[] {
  return english.replace(/[A-Za-z]*\{\w+(?::[wtsp])?\}[A-Za-z]*/g, " ").match(words) ?? [];
}

function indexOf(rows: readonly Row[]): Index {
  const counts = new Map<string, number>();
  for (const [english] of rows) for (const word of wordsOf(english)) counts.set(word, (counts.get(word) ?? 0) + 1);
  const length = new Map(rows.map(([english]) => [english, english.replace(holesOf, "").length]));
  const sorted = [...rows].sort(([a], [b]) => length.get(b)! - length.get(a)!);
  const byWord = new Map<string, Pattern[]>();
  const wordless: Pattern[] = [];
  for (const [rank, [english, korean]] of sorted.entries()) {
    let rarest: string | null = null;
    for (const word of wordsOf(english)) if (rarest === null || counts.get(word)! < counts.get(rarest)!) rarest = word;
    const pattern: Pattern = { english, korean, rank, test: null, holes: [] };
    if (rarest === null) wordless.push(pattern);
    else if (byWord.has(rarest)) byWord.get(rarest)!.push(pattern);
    else byWord.set(rarest, [pattern]);
  }
  return { byWord, wordless };
}

function candidates(text: string, { byWord, wordless }: Index): Pattern[] {
  const found = [...wordless];
  for (const word of new Set(text.match(words))) found.push(...(byWord.get(word) ?? []));
  return found.sort((a, b) => a.rank - b.rank);
}

/** What tells the library's texts in Korean. */
export interface Teller {
  /** A message; what is not in the catalogue is introduced. */
  readonly message: (message: string) => string;
  /** A Korean text that has messages in lines of their own or behind a colon; all other lines stay as they are. */
  readonly lines: (text: string) => string;
}

/** Compiles a catalogue. */
export function koreanOf({ rows, phrases, about }: Catalogue): Teller {
  const sentences = indexOf(rows);
  const parts = indexOf(phrases);

  const fitted = (text: string, index: Index): string | null => {
    for (const pattern of candidates(text, index)) {
      const found = compiled(pattern).exec(text);
      if (found === null) continue;
      const values = new Map<string, string>();
      let fits = true;
      for (const [i, { name, kind }] of pattern.holes.entries()) {
        const value = kind === "p" ? phrase(found[i + 1]!) : found[i + 1]!;
        fits &&= value !== null;
        values.set(name, value ?? "");
      }
      if (!fits) continue;
      return pattern.korean.replace(/\{(\w+)(!?)(?:\|([가-힣]+))?\}/g, (_, name: string, deep: string, particle: string | undefined) => {
        const value = values.get(name) ?? "";
        const shown = deep === "" ? value : (fitted(value, parts) ?? sentence(value) ?? value);
        return particle === undefined ? shown : withParticle(shown, particle as Particle);
      });
    }
    return null;
  };

  /** A name, a value or a phrase; a single word that stands by itself is a name, whatever it means elsewhere. */
  const phrase = (text: string): string | null => {
    if (/^[a-z]+$/.test(text) && !/^(none|nothing|missing)$/.test(text)) return text;
    return fitted(text.trim(), parts) ?? (plain.test(text) ? text : null);
  };

  /** Facts such as `x is f64[2], y is f64[3] and axis is 0`. */
  const facts = (text: string): string | null => {
    const told: string[] = [];
    const split = text.split(/, so (?=\S+ is )|, (?=[\p{L}\d_.[\]]+ is )| and (?=[\p{L}\d_.[\]]+(?: [\p{L}\d_.[\]]+){0,3} is )/u);
    for (const [i, part] of split.entries()) {
      const found = /^([^;:]+?) is (.+?)(, a scalar)?$/u.exec(part);
      const name = found === null ? null : phrase(found[1]!);
      const value = found === null ? null : phrase(found[2]!);
      if (name === null || value === null) return null;
      const shown = found![3] === undefined ? value : `스칼라(${value})`;
      told.push(`${withParticle(name, "은")} ${shown}${i + 1 < split.length ? "" : "입니다."}`);
    }
    return told.join(", ");
  };

  /** What a sentence begins with: an op, a layer and its path, a file, a format. Ops keep their names, whatever these mean elsewhere. */
  const placeOf = (text: string): string | null => {
    const named = fitted(/\s/.test(text) ? text : `${text}:`, parts);
    return named ?? (/^\S+(?: [\p{L}\d_.]+)?$/u.test(text) ? text : null);
  };

  /** A sentence of clauses, with the op, layer, file or format before its first colon; null where some of it is not in the catalogue. */
  const sentence = (text: string): string | null => {
    const whole = fitted(text, sentences) ?? facts(text);
    if (whole !== null) return whole;
    const prefix = /^([^;]+?): (?=\S)/.exec(text);
    const before = prefix === null ? null : placeOf(prefix[1]!);
    const rest = before === null ? null : sentence(text.slice(prefix![0].length));
    if (rest !== null) return `${before}: ${rest}`;
    for (let at = text.lastIndexOf("; "); at > 0; at = text.lastIndexOf("; ", at - 1)) {
      const rule = fitted(text.slice(at + 2), sentences);
      const fact = rule === null ? null : sentence(text.slice(0, at));
      if (fact !== null) return `${fact} ${rule}`;
    }
    return null;
  };

  /** A line that is a message, as far in as it was. */
  const own = (line: string): string | null => {
    const told = sentence(line.trim());
    return told === null ? null : /^ */.exec(line)![0] + told;
  };

  const message = (text: string): string => {
    const [line = "", ...picture] = text.slice(0, longest).split("\n");
    const name = /^(?:Uncaught )?(?:[A-Z]\w*)?Error: /.exec(line)?.[0] ?? "";
    const place = / \(line (\d+), column (\d+)\)$/.exec(line);
    const said = line.slice(name.length, place === null ? undefined : place.index);
    const where = place === null ? "" : ` (${place[1]}번째 줄, ${place[2]}번째 칸)`;
    const more = picture.map((below) => `\n${own(below) ?? below}`).join("");
    const korean = sentence(said);
    if (korean !== null) return korean + where + more;
    const subject = /^([\p{L}\d_.]+)(?:: | )/u.exec(said)?.[1] ?? "";
    const before = Object.hasOwn(about, subject) ? about[subject]! : about["other"]!;
    return `${before} ${said}${where}${more}`;
  };

  const lines = (text: string): string =>
    text
      .split("\n")
      .map((line) => {
        const behind = /^(.*?[가-힣]: )(.*)$/u.exec(line);
        const told = behind === null ? null : sentence(behind[2]!);
        return told === null ? (own(line) ?? line) : behind![1] + told;
      })
      .join("\n");

  return { message, lines };
}
