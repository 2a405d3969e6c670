// Builds the peers that are on GitHub and not on npm: clones the pinned commit and bundles its entry into built/NAME.js, which git ignores.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rolldown } from "rolldown";
import { here, sources } from "../harness/peers.js";

for (const [name, { repository, commit, entry }] of Object.entries(sources)) {
  const folder = mkdtempSync(join(tmpdir(), "peer-"));
  try {
    execFileSync("git", ["clone", "--quiet", "--no-checkout", repository, folder], { stdio: "inherit" });
    execFileSync("git", ["-C", folder, "checkout", "--quiet", commit], { stdio: "inherit" });
    const build = await rolldown({
      input: join(folder, entry),
      resolve: { alias: { [name]: join(folder, entry) } },
      platform: "node",
      logLevel: "silent",
    });
    await build.write({ file: `${here}built/${name}.js`, format: "esm" });
    console.log(`${name}: built/${name}.js from ${commit.slice(0, 8)}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
