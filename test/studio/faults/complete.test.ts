import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { standsIn, stretchesOf } from "../../../scripts/error-messages.ts";
import { sampledMessages } from "../../../scripts/message-samples.ts";
import { catalogue, tellInKorean } from "../../../studio/faults/ko.ts";
import { koreanOf, type Row } from "../../../studio/faults/tell-fault.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));

/** What no page can run, so that its messages never reach the studio. */
const elsewhere: readonly (readonly [place: string, why: string])[] = [
  ["src/cli/", "the command line"],
  ["src/mpi/", "the system's MPI library"],
  ["src/train/ranks/meeting.ts", "ranks that MPI started"],
  ["src/train/ranks/programs.ts", "ranks that MPI started"],
];

/** The build, errors that are caught where they are thrown, and those whose text is a key of the words. */
const unseen = [
  "studio/vite.config.ts",
  "studio/offline.ts",
  "studio/shell/export-picture.ts",
  "studio/state/",
  "studio/faults/",
  "studio/graph/held-storage.ts",
  "studio/train/data-sets.ts",
];

function sources(): Map<string, string> {
  const files = readdirSync(`${root}src`, { recursive: true, encoding: "utf8" }).filter((f) => f.endsWith(".ts"));
  return new Map(
    files
      .map((f) => `src/${f}`)
      .filter((f) => !elsewhere.some(([place]) => f.startsWith(place)))
      .map((f) => [f, readFileSync(root + f, "utf8")]),
  );
}

/** Words that stand in English prose alone. */
const prose =
  /(?<![\w"'`.(-])(the|is|are|was|which|that|this|with|write|there|has|have|it|its|they|of|and|or|to|for|by|from|must|give|take|use|one|at|as|be|not|no|an) /;

/** Combinations of clauses that the code never makes. */
const impossible = /ids are rows 0..3, or|^onnx: node .*: x$/;

/** Why a sentence is not told in Korean, or null. */
function untold(english: string): string | null {
  const korean = tellInKorean(english);
  const fallback = Object.values(catalogue.about).some((words) => korean.startsWith(words));
  // What another program said stands behind a colon, introduced.
  const own = korean.replace(/영어 원문: .*/s, "").replace(/"[^"]*"|`[^`]*`|\{[^}]*\}|import \* as|\S*\([^)]*\)/g, "…");
  return fallback || prose.test(own) ? `${english} => ${korean}` : null;
}

const sampled = sampledMessages(sources());

test("every message of the library that can reach a page is told in Korean", () => {
  expect(sampled.length).toBeGreaterThan(500);
  const missing = sampled.flatMap(({ file, line, samples }) => {
    const bad = samples
      .filter((text) => !impossible.test(text))
      .map(untold)
      .filter((text) => text !== null);
    return bad.length === 0 ? [] : [`${file}:${line} ${bad[0]}`];
  });
  expect(missing).toEqual([]);
});

test("every message of the studio itself is told in Korean", () => {
  const files = readdirSync(`${root}studio`, { recursive: true, encoding: "utf8" }).map((f) => `studio/${f}`);
  const own = files.filter((f) => /\.tsx?$/.test(f) && !unseen.some((place) => f.startsWith(place)));
  const messages = sampledMessages(new Map(own.map((f) => [f, readFileSync(root + f, "utf8")])), /^(Error|EngineError)$/);
  expect(messages.length).toBeGreaterThan(20);
  const missing = messages.flatMap(({ file, line, samples }) =>
    samples.map(untold).flatMap((text) => (text === null ? [] : [`${file}:${line} ${text}`])),
  );
  expect(missing).toEqual([]);
});

test("a message without a row, one that was reworded, and one whose hole holds English prose are found", () => {
  const source = `
    function describe(x) { return x === null ? "nothing at all of it" : "a list"; }
    export function f(x) {
      if (x > 1) throw new ShapeError(\`frob: x is \${describe(x)} and cannot be frobnicated\`);
      if (x > 2) throw new ShapeError(\`frob: aligned at the left, sizes must be equal or 1\`);
      if (x > 3) throw new ShapeError(\`frob: \${x.name} is \${describe(x)}\`);
      throw new ShapeError(\`frob: \${typeText(x)} elements do not fill \${typeText(x)}, which has \${x.length}\`);
    }`;
  const found = sampledMessages(new Map([["planted.ts", source]]));
  expect(found.map(({ samples }) => samples.map((s) => untold(s) === null))).toEqual([[false, false], [false], [false, true], [true]]);
});

const rows: readonly Row[] = [...catalogue.rows, ...catalogue.phrases];
const names = (text: string): string[] => [...text.matchAll(/\{(\w+)(?::[wtsp])?(?:!?\|[가-힣]+|!)?\}/g)].map(([, name]) => name!);

/** What is wrong with a row's holes and particles. */
function wrongWith([english, korean]: Row): string | null {
  const [asked, told] = [names(english), names(korean)];
  const dropped = asked.filter((name) => !name.startsWith("_") && !told.includes(name));
  const unknown = told.filter((name) => !asked.includes(name));
  const twice = told.filter((name, i) => told.indexOf(name) !== i);
  if (dropped.length > 0) return `${english}: {${dropped[0]}} is not told`;
  if (unknown.length > 0) return `${english}: there is no {${unknown[0]}}`;
  if (twice.length > 0) return `${english}: {${twice[0]}} is told twice`;
  // Particles and endings that depend on the sound before them.
  if (/(?<!\$)\{\w+!?\}["']?(은|는|이|가|을|를|과|와|으로|로|이라|라|이어야|여야|고|며|이나|나)(?=[ ,.()]|$)/.test(korean))
    return `${english}: a particle does not agree: ${korean}`;
  const own = korean.replace(/"[^"]*"|`[^`]*`|\{[^}]*\}|import \* as|\S*\([^)]*\)/g, "…");
  return prose.test(own) ? `${english}: English in ${korean}` : null;
}

test("every hole of a row is told once, with a particle that agrees, in Korean", () => {
  expect(rows.map(wrongWith).filter((text) => text !== null)).toEqual([]);
});

test("a row with a wrong hole, a hole that is lost, a particle that cannot agree and English words is found", () => {
  const right: Row = ["{x:w} is {t:t} and has no rows", "{x|은} {t|이라} 행이 없습니다."];
  expect(wrongWith(right)).toBeNull();
  expect(wrongWith([right[0], "{y|은} {t|이라} 행이 없습니다."])).toMatch(/\{x\} is not told/);
  expect(wrongWith([right[0], "{x|은} {t|이라} {u}행이 없습니다."])).toMatch(/no \{u\}/);
  expect(wrongWith([right[0], "{x|은} {t|이라} {x}의 행이 없습니다."])).toMatch(/twice/);
  expect(wrongWith([right[0], "{x}는 {t|이라} 행이 없습니다."])).toMatch(/agree/);
  expect(wrongWith([right[0], "{x|은} {t|이라} the 행이 없습니다."])).toMatch(/English/);
});

test("no two rows are of one sentence", () => {
  const twice = [catalogue.rows, catalogue.phrases].flatMap((list) => {
    const seen = new Set<string>();
    return list.filter(([english]) => seen.size === seen.add(english.replace(/\{\w+/g, "{")).size).map(([english]) => english);
  });
  expect(twice).toEqual([]);
});

/** The sources but for the dictionaries, with their escapes undone. */
function texts(folder: string): string {
  return readdirSync(root + folder, { recursive: true, encoding: "utf8" })
    .filter((file) => /\.tsx?$/.test(file) && !/faults\/|words-|\/ko\.ts$/.test(`${folder}/${file}`))
    .map((file) => readFileSync(`${root}${folder}/${file}`, "utf8").replace(/\\(["'`$\\])/g, "$1"))
    .join("\n");
}

/** What browsers and parsers of programs say. */
const browsers =
  /^(a (string|boolean|number|function|\{a:w\})$|an (object|op)$|\{a:w\} is not (defined|a function|iterable)|Assignment to|Identifier |Invalid or |Cannot |Maximum call|Unexpected token|Unterminated|Failed to fetch|Out of memory|WebAssembly\.Memory|Array buffer|Invalid array)/;

test("every row is of a message that there is: one that changes there has to change here", () => {
  // Which rows tell the messages: a mark in the place of each Korean sentence, and what its holes hold.
  const marked = (from: readonly Row[], first: number): Row[] =>
    from.map(([english], i) => [
      english,
      `⟦${first + i}⟧${names(english)
        .map((name) => `{${name}!}`)
        .join("")}`,
    ]);
  const { message: tell } = koreanOf({
    rows: marked(catalogue.rows, 0),
    phrases: marked(catalogue.phrases, catalogue.rows.length),
    about: catalogue.about,
  });
  const used = new Set<number>();
  for (const { samples } of sampled) for (const text of samples) for (const [, i] of tell(text).matchAll(/⟦(\d+)⟧/g)) used.add(Number(i));
  // Others, such as those of the studio, stand in the sources as they are.
  const all = `${texts("src")}\n${texts("studio")}`;
  const stretches = stretchesOf(all);
  const stale = rows
    .filter((_, i) => !used.has(i))
    .map(([english]) => english)
    .filter((english) => !browsers.test(english))
    .filter((english) =>
      english
        .split(/\{\w+(?::[wtsp])?\}/)
        .map((part) => part.replace(/^[)\s]+|[;:,.(\s]+$|^\w+: (?=$)/g, ""))
        .flatMap((part) => part.split(/; |: /))
        .filter((part) => part.length >= 6)
        .some((part) => !standsIn(part, all, stretches)),
    );
  expect(stale).toEqual([]);
});
