// The same work on one thread and on two, in elapsed time: only a machine with two idle processors tells anything.
import { compile, evaluate, f32, graph, matmul, random, zeros } from "../../dist/index.js";
import { wasm } from "../../dist/wasm.js";
import { measure } from "../harness/measure.js";
import { timeTable } from "../harness/table.js";
import { convnet, gpt } from "./networks.js";
import { training } from "./training.js";

/** @param {number} n */
function product(n) {
  const draw = (i) => evaluate(random.normal(random.fold(random.key(1), i), f32(n, n)));
  const state = { a: draw(0), b: draw(1), c: evaluate(zeros(f32(n, n))) };
  const step = graph(state, ({ a, b }) => ({ c: matmul(a, b) }));
  return {
    title: `Product of ${n} x ${n} matrices, f32`,
    unit: "ms",
    scale: 1e-6,
    async program(engine) {
      const made = await compile(step, engine, { state });
      return () => made.run({});
    },
  };
}

/** @param {number} rounds @returns {Promise<string>} Markdown */
export async function threads(rounds) {
  const work = [
    product(512),
    product(1024),
    training("SGD step of an MLP 2-16-16-1, batch 100", [2, 16, 16, 1], 100),
    training("SGD step of an MLP 784-128-10, batch 64", [784, 128, 10], 64),
    training("SGD step of an MLP 784-512-512-10, batch 256", [784, 512, 512, 10], 256),
    convnet(),
    gpt(),
  ];
  const tables = [];
  for (const { title, unit, scale, program } of work) {
    const contestants = [];
    for (const count of [1, 2]) {
      const run = await program(wasm({ threads: count }));
      run();
      // The worker starts meanwhile.
      await new Promise((done) => setTimeout(done, 500));
      contestants.push({
        name: `${count} thread${count > 1 ? "s" : ""}`,
        run: (times) => {
          for (let i = 0; i < times; i++) run();
        },
      });
    }
    const measured = await measure(contestants, { check: () => undefined, rounds });
    tables.push(`### ${title}\n\n${timeTable(measured, { unit, scale })}`);
  }
  return tables.join("\n\n");
}
