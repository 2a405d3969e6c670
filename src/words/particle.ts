/** Korean particles that have two forms: after a final consonant, then after a vowel. Only 으로 follows ㄹ as it does a vowel. */
const pairs = {
  은: ["은", "는"],
  이: ["이", "가"],
  을: ["을", "를"],
  과: ["과", "와"],
  으로: ["으로", "로"],
  이라는: ["이라는", "라는"],
  이고: ["이고", "고"],
  이며: ["이며", "며"],
  이나: ["이나", "나"],
  이라: ["이라", "라"],
  이어야: ["이어야", "여야"],
} as const;

/** A particle, named by its form after a consonant. */
export type Particle = keyof typeof pairs;

type Final = "none" | "l" | "other";

/** How the digits end when they are read: 영, 일, 이, 삼, 사, 오, 육, 칠, 팔, 구; 십, 백, 천, 만 for zeros are like 영. */
const digits: readonly Final[] = ["other", "l", "none", "other", "none", "none", "other", "l", "l", "none"];

/** Letters that are read with a final consonant: 엘, 엠, 엔, 알. */
const letters: Readonly<Record<string, Final>> = { l: "l", m: "other", n: "other", r: "l" };

/** Greek letters: 엡실론, 오미크론, 입실론; all others end in a vowel. */
const greek = "εϵουΕΟΥ";

const subscripts = "₀₁₂₃₄₅₆₇₈₉";
const superscripts = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** How a text ends when a Korean reader reads it aloud. */
function finalOf(text: string): Final {
  // What closes a text is not read: f64[2,3], "x", f(x).
  const read = text.normalize("NFC").replace(/[\s)\]}"'`”’.,:;…*_]+$/u, "");
  const last = [...read].at(-1) ?? "";
  const code = last.codePointAt(0) ?? 0;
  if (code >= 0xac00 && code <= 0xd7a3) {
    const final = (code - 0xac00) % 28;
    return final === 0 ? "none" : final === 8 ? "l" : "other";
  }
  const digit = /\d/.test(last) ? Number(last) : Math.max(subscripts.indexOf(last), superscripts.indexOf(last));
  if (digit >= 0 && last !== "") return digits[digit]!;
  if (greek.includes(last) && last !== "") return "other";
  const word = /[A-Za-z]+$/.exec(read)?.[0];
  return word === undefined ? "none" : finalOfWord(word);
}

/** A Latin word: letter by letter where it is one letter or an abbreviation, else as a word, by the rules for loan words (외래어 표기법). */
function finalOfWord(word: string): Final {
  const end = word.toLowerCase();
  if (word.length === 1 || word === word.toUpperCase() || !/[aeiouy]/.test(end)) return letters[end.at(-1)!] ?? "none";
  if (/(l|le)$/.test(end)) return "l";
  if (/(m|n|ng)$/.test(end)) return "other";
  // A short vowel before p, t or k: clip 클립, net 넷, block is 블록.
  if (/(^|[^aeiou])[aeiou](p|t|k|ck)$/.test(end) || /(out|book)$/.test(end)) return "other";
  return "none";
}

/**
 * A name or number with the Korean particle that agrees with how it is read: `withParticle("x", "은")` is x는, `withParticle("w1", "이")` w1이,
 * `withParticle("relu", "을")` relu를. Hangul and numbers are exact; a Latin word is read letter by letter where it has one letter or no vowel, else by
 * the rules for loan words, which are a guess for names that nobody has read aloud.
 */
export function withParticle(text: string | number, particle: Particle): string {
  const [closed, open] = pairs[particle];
  const final = finalOf(String(text));
  return `${text}${final === "none" || (final === "l" && particle === "으로") ? open : closed}`;
}
