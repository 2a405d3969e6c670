import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { evaluate, reference, type Tensor, tensor, variables } from "chainrule";
import { afterAll, expect, test } from "vitest";
import { exportedAs, factsOf, graphOf } from "../../../studio/train/exported.ts";
import { defaultTrain, type TrainState } from "../../../studio/train/state.ts";
import { makeTrainer } from "../../../studio/train/trainer.ts";
import { nets } from "./nets.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
mkdirSync(`${root}out`, { recursive: true });
const folder = mkdtempSync(`${root}out/exports-`);
afterAll(() => rmSync(folder, { recursive: true }));

interface Code {
  readonly name: string;
  readonly settings: TrainState;
  readonly sample: readonly (readonly number[])[];
  readonly task: "binary" | "classes" | "number";
  readonly code: string;
  readonly says: readonly number[];
}

async function codes(format: "typescript" | "pytorch"): Promise<Code[]> {
  const digits = readFileSync(`${root}data/digits.csv`, "utf8");
  const found: Code[] = [];
  for (const [name, part] of Object.entries(nets)) {
    const settings = { ...defaultTrain, ...part };
    const trainer = await makeTrainer(settings, reference(), { digits });
    trainer.step();
    const facts = factsOf(settings, trainer);
    const says = facts.sample.flatMap((row) => {
      const results = evaluate(graphOf(facts)({ x: tensor([[...row]], "f32") })) as Record<string, { data: Float32Array }>;
      return [...(results["probabilities"] ?? results["probability"] ?? results["output"]!).data];
    });
    found.push({
      name,
      settings,
      sample: facts.sample,
      task: facts.problem.task.kind,
      code: new TextDecoder().decode((await exportedAs(format, settings, trainer)).bytes),
      says,
    });
  }
  return found;
}

test("the compiler accepts the TypeScript of every kind of net, strictly", async () => {
  for (const { name, code } of await codes("typescript")) writeFileSync(join(folder, `${name}.ts`), code);
  const paths = { chainrule: [`${root}src/index.ts`], "chainrule/*": [`${root}src/*.ts`] };
  const base = JSON.parse(readFileSync(`${root}tsconfig.base.json`, "utf8")) as { compilerOptions: object };
  const compilerOptions = {
    ...base.compilerOptions,
    noEmit: true,
    declaration: false,
    isolatedDeclarations: false,
    noUnusedLocals: true,
    paths,
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.ts"] }));
  const { stdout, status } = spawnSync(process.execPath, [`${root}node_modules/typescript/bin/tsc`, "-p", folder], { encoding: "utf8" });
  expect(stdout).toBe("");
  expect(status).toBe(0);
});

const python = "/usr/bin/python3";

/** Runs programs one after another in one Python, which takes seconds to load PyTorch; gives what each printed last. Null where there is none. */
function inPython(programs: Readonly<Record<string, string>>): Readonly<Record<string, unknown>> | null {
  if (
    !existsSync(python) ||
    spawnSync(python, ["-c", "import importlib.util as u, sys; sys.exit(u.find_spec('torch') is None)"]).status !== 0
  )
    return null;
  for (const [name, code] of Object.entries(programs)) writeFileSync(join(folder, `${name}.py`), code);
  const runner = join(folder, "runner.py");
  writeFileSync(
    runner,
    [
      "import contextlib, io, json, runpy, sys",
      "said = {}",
      "for name in sys.argv[2:]:",
      "    printed = io.StringIO()",
      "    with contextlib.redirect_stdout(printed):",
      '        runpy.run_path(f"{sys.argv[1]}/{name}.py", run_name="__main__")',
      "    said[name] = json.loads(printed.getvalue().strip().splitlines()[-1])",
      "print(json.dumps(said))",
    ].join("\n"),
  );
  const { stdout, stderr } = spawnSync(python, [runner, folder, ...Object.keys(programs)], { encoding: "utf8" });
  expect(stderr).toBe("");
  return JSON.parse(stdout) as Record<string, unknown>;
}

test("PyTorch runs the code of every kind of net, says what the net says, and goes on learning as TypeScript does", {
  timeout: 240_000,
}, async (context) => {
  const programs: Record<string, string> = {};
  const [here, there] = [await codes("typescript"), await codes("pytorch")];
  for (const { name, code } of there) programs[name] = code;
  // One batch a pass, so that the order of rows says nothing; digits learn by the same few lines.
  const learners = here.filter(({ sample, settings }) => 2 * sample.length <= settings.batch && settings.data !== "digits");
  const lesson = ({ sample, task }: Code) => {
    const rows = [...sample, ...sample];
    return { rows, answers: rows.map((_, r) => (task === "number" ? r / 2 : r % 2)) };
  };
  for (const net of learners) {
    const { rows, answers } = lesson(net);
    const code = there.find(({ name }) => name === net.name)!.code;
    programs[`${net.name}-learns`] =
      `${code}\nlearn(${JSON.stringify(rows)}, ${JSON.stringify(answers)}, 21)\nprint(predict(${JSON.stringify(net.sample)}))\n`;
  }
  const said = inPython(programs) as Record<string, number[][]> | null;
  if (said === null) {
    console.log("left out: no PyTorch here");
    return context.skip();
  }
  for (const { name, says } of there)
    said[name]!.flat().forEach((v, i) => {
      expect(Math.abs(v - says[i]!), name).toBeLessThan(1e-4 * Math.max(1, Math.abs(says[i]!)));
    });
  // Optimisers, courses of the rate and penalties are among them.
  expect(learners.length).toBeGreaterThan(6);
  for (const net of learners) {
    const { name, code, sample, says } = net;
    const { rows, answers } = lesson(net);
    const file = join(folder, `${name}-learns.ts`);
    writeFileSync(file, code.replace(/^console\.log.*$/m, ""));
    const module = (await import(file)) as {
      predict(rows: unknown, params: unknown): number[][];
      learn(rows: unknown, y: unknown, epochs: number): Promise<unknown>;
    };
    const learnt = variables((await module.learn(rows, answers, 21)) as Record<string, Tensor>);
    const now = module.predict(sample, learnt).flat();
    expect(Math.max(...now.map((v, k) => Math.abs(v - says[k]!))), name).toBeGreaterThan(1e-3);
    said[`${name}-learns`]!.flat().forEach((v, k) => {
      expect(Math.abs(v - now[k]!), `${name}: ${v} in PyTorch, ${now[k]} here`).toBeLessThan(2e-3 * Math.max(1, Math.abs(v)));
    });
  }
});
