import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { isTested, messagesIn, stretchesOf } from "../scripts/error-messages.ts";

const root = fileURLToPath(new URL("../", import.meta.url));

function sources(folder: string): string[] {
  return readdirSync(root + folder, { recursive: true, encoding: "utf8" })
    .filter((f) => f.endsWith(".ts"))
    .map((f) => `${folder}/${f}`);
}

function read(file: string): string {
  return readFileSync(root + file, "utf8");
}

const tests = sources("test")
  .filter((f) => !f.endsWith("error-messages.test.ts"))
  .map((f) => read(f).replace(/\\(["'`])/g, "$1"))
  .join("\n");

/** Messages that only gigabytes of input meet, or texts that begin with a value. */
const outOfReach = [
  "src/cli/batch.ts the line is longer",
  "src/cli/text-in.ts : it is longer",
  "src/files/open-file.ts  bytes do not fit memory",
  "src/data/npz.ts npz: ",
  "src/onnx/external-data.ts  ended while",
];

test("every error message has a test that speaks of it", () => {
  const all = sources("src").flatMap((f) => messagesIn(f, read(f)));
  expect(all.length).toBeGreaterThan(250);
  const stretches = stretchesOf(tests);
  const untested = all.filter(
    (m) => !isTested(m, tests, stretches) && !outOfReach.some((o) => `${m.file} ${m.texts.join("…")}`.startsWith(o)),
  );
  expect(untested.map((m) => `${m.file}:${m.line} ${m.texts.join("…")}`)).toEqual([]);
});

test("a message that no test speaks of is found", () => {
  const source =
    'throw new ShapeError(`frobnicate: x is ${x} and cannot be frobnicated ${"twice"} in a row`);\nthrow new InternalError("our own fault");';
  const [found, ...rest] = messagesIn("planted.ts", source);
  expect(rest).toEqual([]);
  expect(found).toMatchObject({ file: "planted.ts", line: 1 });
  expect(isTested(found!, "a test that speaks of something else")).toBe(false);
  expect(isTested(found!, 'toThrow("and cannot be frobnicated")')).toBe(true);
});
