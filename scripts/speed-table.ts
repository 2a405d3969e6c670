/** A row of the README's table of speed: a section of `bench/RESULTS.md`, and what it is called there. */
const works: readonly (readonly [section: string, name: string])[] = [
  ["mlp", "SGD step, MLP 784-128-10, batch 64"],
  ["mlp-large", "SGD step, MLP 784-512-512-10, batch 256"],
  ["moons", "SGD step, MLP 2-16-16-1, batch 100"],
  ["convnet", "SGD step, ConvNet 3x3x32, 3x3x64, pool, 128, 10 on 28x28, batch 32"],
  ["gpt", "AdamW step, GPT of 4 layers, width 128, 64 tokens, batch 8"],
];

const peers: readonly (readonly [name: string, begins: RegExp])[] = [
  ["jax-js", /^@jax-js\/jax/],
  ["TensorFlow.js, wasm", /^@tensorflow\/tfjs, wasm/],
  ["JAX", /^JAX /],
  ["PyTorch", /^PyTorch /],
];

/**
 * The README's table of speed, as Markdown: our times, and how many times as long each peer took, out of `bench/RESULTS.md`.
 *
 * @throws Error for a section or a row of ours that is not there
 */
export function speedTable(results: string): string {
  const rows = works.map(([section, name]) => {
    const found = new RegExp(`<!-- ${section} -->\\n([\\s\\S]*?)(?=<!-- |$)`).exec(results)?.[1];
    if (found === undefined) throw new Error(`bench/RESULTS.md has no section ${section}`);
    const cells = [...found.matchAll(/^\| (.+) \|$/gm)].map(([, row]) => row!.split(" | "));
    const ours = cells.find(([who]) => who === "chainrule, wasm, one thread")?.[1];
    if (ours === undefined) throw new Error(`bench/RESULTS.md, ${section}: there is no row of ours`);
    const theirs = peers.map(([, begins]) => timesOf(cells.find(([who]) => begins.test(who!))));
    return [name, `${ours} ms`, ...theirs];
  });
  const head = ["one thread, f32", "chainrule", ...peers.map(([name]) => name)];
  return [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

/** `2.65 x` of a row with a time; of one without it what the row says instead. */
function timesOf(row: readonly string[] | undefined): string {
  if (row === undefined) return "not installed";
  const [, time, , times] = row;
  if (times !== undefined) return `${times.split(" ")[0]} x`;
  return time!.startsWith("Error: Kernel") ? "has no such kernel" : time!.startsWith("Error") ? "fails" : "not run";
}
