// node scripts/reference/compare-exporters.js FOLDER [NAME]: reads what onnx_exporters.py wrote and prints, file by file, how far the logits of two batch sizes and the loss are from
// PyTorch's, and which of PyTorch's gradients are found within 1e-4: under its name, or by value alone.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { evaluate, reshape, softmaxCrossEntropy, transpose, valueAndGrad } from "chainrule";
import { parseSafetensors } from "chainrule/data";
import { onnx } from "chainrule/onnx";

const [folder, only = ""] = process.argv.slice(2);
if (folder === undefined)
  throw new Error("give the folder that onnx_exporters.py wrote: node scripts/reference/compare-exporters.js FOLDER [NAME]");

/** The largest difference of two tensors; infinite where their sizes differ, or one is not a number. @param {any} a @param {any} b */
const apart = (a, b) =>
  a.data.length === b.data.length
    ? a.data.reduce(
        (/** @type {number} */ most, /** @type {number} */ x, /** @type {number} */ i) =>
          x === x ? Math.max(most, Math.abs(x - b.data[i])) : Number.POSITIVE_INFINITY,
        0,
      )
    : Number.POSITIVE_INFINITY;

/** The tensors whose names begin so, by the rest of the name. @param {Record<string, any>} all @param {string} start */
const under = (all, start) =>
  Object.fromEntries(Object.entries(all).flatMap(([name, t]) => (name.startsWith(start) ? [[name.slice(start.length), t]] : [])));

for (const file of readdirSync(folder)
  .filter((name) => name.endsWith(".onnx") && name.includes(only))
  .sort()) {
  const family = file.replace(/-(new|old)\.onnx$/, "");
  /** @type {Record<string, any>} */
  const told = parseSafetensors(new Uint8Array(readFileSync(join(folder, `${family}.safetensors`)))).tensors;
  /** @type {any} */
  const model = await onnx.read(new Uint8Array(readFileSync(join(folder, file))), { outputs: ["logits"] });
  // Exporters drop inputs that they have folded.
  const inputs = (/** @type {string} */ start) =>
    Object.fromEntries(Object.entries(under(told, start)).filter(([name]) => name in model.inputs));
  const logits = (/** @type {any} */ params, /** @type {string} */ start) => model.apply(params, inputs(start)).logits;
  const lossOf = (/** @type {any} */ params) => {
    const out = logits(params, "x/");
    const last = family === "unet" ? transpose(out, { axes: [0, 2, 3, 1] }) : out;
    return softmaxCrossEntropy(reshape(last, { shape: [-1, last.type.shape.at(-1)] }), reshape(told["y"], { shape: [-1] }));
  };
  /** @type {any} */
  const { value, grad } = evaluate(valueAndGrad(lossOf)(model.params));
  const found = { "by name": 0, "by value": 0 };
  const missing = [];
  const slopes = Object.entries(under(told, "grad/"));
  for (const [name, slope] of slopes) {
    const like = (/** @type {any} */ own) =>
      own !== undefined && (apart(own, slope) < 1e-4 || (own.type.shape.length === 2 && apart(evaluate(transpose(own)), slope) < 1e-4));
    if (like(grad[name]) || like(grad[name.replace(/^inner\./, "")])) found["by name"]++;
    else if (Object.values(grad).some(like)) found["by value"]++;
    else missing.push(name);
  }
  const differences = [
    apart(evaluate(logits(model.params, "x/")), told["logits"]),
    apart(evaluate(logits(model.params, "more/")), told["more"]),
    apart(value, told["loss"]),
  ];
  console.log(
    `${file}: at most ${Math.max(...differences).toExponential(0)}; of ${slopes.length} gradients ${found["by name"]} by name, ${found["by value"]} by value${missing.length > 0 ? `; not ${missing.join(", ")}` : ""}`,
  );
}
