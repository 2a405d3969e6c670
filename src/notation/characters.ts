const letter = /^\p{L}$/u;
const inName = /^[\p{L}\p{M}\p{N}]$/u;

/** Superscript digits and signs, read as a power: `x²`, `x⁻¹`. */
const superscripts: Readonly<Record<string, string>> = {
  "⁰": "0",
  "¹": "1",
  "²": "2",
  "³": "3",
  "⁴": "4",
  "⁵": "5",
  "⁶": "6",
  "⁷": "7",
  "⁸": "8",
  "⁹": "9",
  "⁻": "-",
  "⁺": "+",
};

/** The digit or sign that a superscript character stands for, else undefined. */
export function superscriptOf(character: string): string | undefined {
  return Object.hasOwn(superscripts, character) ? superscripts[character] : undefined;
}

/** The superscript T of a transpose, which Unicode counts as a letter. */
export const superscriptT = "ᵀ";

/** A letter of any script, `_`, `∂`, `∇` or `∆`. */
export function startsName(character: string): boolean {
  const code = character.charCodeAt(0);
  if (code < 128) return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 95;
  return character === "∂" || character === "∇" || character === "∆" || (character !== superscriptT && letter.test(character));
}

/** What may follow in a name: also digits, subscripts, combining marks and primes (`x'`, `x′`). */
export function continuesName(character: string): boolean {
  const code = character.charCodeAt(0);
  if (code < 128)
    return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code >= 48 && code <= 57) || code === 95 || code === 39;
  if (character === "′" || character === "″") return true;
  return startsName(character) || (inName.test(character) && superscriptOf(character) === undefined && character !== superscriptT);
}

/** Whether a whole text is one name as the lexer reads it, its path included: `w₀`, `fc1.w`, `blocks.0.w`. */
export function isName(text: string): boolean {
  if (text !== text.normalize("NFC")) return false;
  const parts = text.split(".");
  return parts.every((part, i) => {
    const characters = [...part];
    const first = characters[0];
    if (first === undefined || (i > 0 && part === "T")) return false;
    return (
      (i > 0 ? continuesName(first) && first !== "'" && first !== "′" && first !== "″" : startsName(first)) &&
      characters.every(continuesName)
    );
  });
}

export function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

/** Spaces other than line ends, the no-break and zero-width ones included. */
export function isSpace(code: number): boolean {
  return (
    code === 32 ||
    code === 9 ||
    code === 13 ||
    code === 11 ||
    code === 12 ||
    code === 0xa0 ||
    code === 0xfeff ||
    (code >= 0x2000 && code <= 0x200b) ||
    code === 0x202f ||
    code === 0x205f ||
    code === 0x3000
  );
}
