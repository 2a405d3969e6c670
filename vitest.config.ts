import { defineConfig, type ViteUserConfig } from "vitest/config";

/** Tests that are too slow for `npm run test:fast`: they pack, install and bundle. */
const slow: readonly string[] = ["test/package.test.ts", "test/size.test.ts", "test/laws/**", "test/**/*.slow.test.ts"];

/** Tests that only `npm run test:long` runs. */
const long: readonly string[] = ["test/**/*.long.test.ts"];

const only: string | undefined = process.env["CHAINRULE_TESTS"];
const included: readonly string[] = only === "long" ? long : ["test/**/*.test.ts"];
const excluded: readonly string[] = only === "long" ? [] : only === "fast" ? [...slow, ...long] : long;

const config: ViteUserConfig = defineConfig({
  test: {
    include: [...included],
    exclude: ["**/node_modules/**", "test/fixtures/**", ...excluded],
    environment: "node",
    testTimeout: only === "long" ? 600_000 : 60_000,
    hookTimeout: 120_000,
    pool: "threads",
  },
});
export default config;
