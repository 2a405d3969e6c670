// The linear classifier's graph as a picture: values above the wires, gradients below.
import { draw, variable } from "chainrule";
import { writeFileWhole } from "chainrule/data";
import { totalLoss } from "./linear-classifier.js";

/**
 * Draws the total loss of the first few images, at the parameters given.
 *
 * @param {import("./linear-classifier.js").Recipe} recipe
 * @param {{ readonly w: import("chainrule").Tensor, readonly b: import("chainrule").Tensor }} params
 * @param {import("./linear-classifier.js").Digits} digits
 * @param {number} images
 * @param {string} file
 */
export async function drawClassifier(recipe, params, digits, images, file) {
  const { x, y } = digits.at(Int32Array.from({ length: images }, (_, i) => i));
  const loss = totalLoss(recipe)({ w: variable(params.w, "W"), b: variable(params.b, "b") }, variable(x, "x"), variable(y, "y"));
  await writeFileWhole(file, draw(loss, { format: "svg", title: `CS231n's linear classifier, ${recipe.name} loss, ${images} digits` }));
}
