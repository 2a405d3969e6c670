import { continuesName, isName, startsName } from "./characters.ts";

/** Words that would be read as a constant even where a variable has that name. */
const taken: readonly string[] = ["inf", "nan", "true", "false", "None"];

/** Gives names that the parser reads back as one name, each only once. */
export class NameBook {
  readonly #used: Set<string> = new Set(taken);
  readonly #counts: Map<string, number> = new Map();

  /** The wanted name, made readable and told apart from those given before by `_2`, `_3`; without one, `prefix1`, `prefix2`. */
  give(wanted: string | null, prefix: string): string {
    if (wanted !== null && wanted !== "") return this.#unused(readable(wanted), (name, n) => (n === 1 ? name : `${name}_${n}`));
    return this.#unused(prefix, (name, n) => `${name}${n}`);
  }

  #unused(name: string, numbered: (name: string, n: number) => string): string {
    for (let n = (this.#counts.get(name) ?? 0) + 1; ; n++) {
      const candidate = numbered(name, n);
      if (this.#used.has(candidate)) continue;
      this.#used.add(candidate);
      this.#counts.set(name, n);
      return candidate;
    }
  }
}

/** A label as a name of the notation: what cannot stand in a name becomes `_`. */
export function readable(label: string): string {
  const composed = label.normalize("NFC");
  if (isName(composed)) return composed;
  let out = "";
  for (const character of composed) out += continuesName(character) ? character : "_";
  const [first] = out;
  const named = first !== undefined && startsName(first) ? out : `_${out}`;
  return isName(named) ? named : "_";
}
