import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { defineConfig, type ViteUserConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

const fast: boolean = process.env["CHAINRULE_FAST"] === "1";
const long: boolean = process.env["CHAINRULE_LONG"] === "1";

/** Left out of `npm run test:fast`: tests that pack, install, bundle, or draw many samples. */
const slow: readonly string[] = ["test/package.test.ts", "test/size.test.ts", "test/**/*.slow.test.ts"];

/** Run by `npm run test:long` alone. */
const longest: readonly string[] = ["test/**/*.long.test.ts"];

const src: string = fileURLToPath(new URL("src/", import.meta.url));

/** Seconds of the files that take longest in `npm test`, as one run had them: good for an order, and for nothing else. */
const seconds = JSON.parse(readFileSync(new URL("test/durations.json", import.meta.url), "utf8")) as Readonly<Record<string, number>>;
const root: string = fileURLToPath(new URL(".", import.meta.url));
const secondsOf = ({ moduleId }: TestSpecification): number => seconds[moduleId.slice(root.length)] ?? 0;

/** The longest files first, so that none is left alone on one processor at the end; the others as Vitest has them, which goes by their size. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.sort((a, b) => secondsOf(b) - secondsOf(a));
  }
}

const config: ViteUserConfig = defineConfig({
  // The studio imports the library as its users do; here that is the sources, so that there is one library in a test.
  resolve: {
    alias: [
      { find: /^chainrule$/, replacement: `${src}index.ts` },
      { find: /^chainrule\/([a-z]+)$/, replacement: `${src}$1.ts` },
    ],
  },
  test: {
    include: long ? [...longest] : ["test/**/*.test.ts"],
    exclude: ["**/node_modules/**", "test/fixtures/**", ...(long ? [] : longest), ...(fast ? slow : [])],
    environment: "node",
    // The files of one worker share the modules of src, which take half a second to load; no test changes them.
    isolate: false,
    // Vitest leaves one processor to itself, which is half of a machine with two.
    maxWorkers: availableParallelism(),
    sequence: { sequencer: LongestFirst },
    testTimeout: long ? 600_000 : 60_000,
    hookTimeout: 120_000,
  },
});
export default config;
