import { GraphError } from "../ir/errors.ts";

/**
 * What an item stands for; decides how it is drawn (op: circle or pill; leaves: rounded boxes; output: a name at the end of its wire; module: a box
 * with a double outline, for a group that is closed).
 */
export type ItemKind = "op" | "parameter" | "input" | "constant" | "output" | "module";

/** Where the wires run: from left to right, or from top to bottom. */
export type Direction = "right" | "down";

/**
 * `number`: computed. `zero`: exactly 0, a dead path. `none`: no gradient is needed here. `not yet`: the walk has not come here. `unknown`: the
 * picture is of a graph without numbers.
 */
export type GradientState = "number" | "zero" | "none" | "not yet" | "unknown";

/** The colour sets of the pictures. Colour is never the only sign, so each of them reads in black and white too. */
export type Theme = "light" | "dark" | "colour-blind" | "colour-blind dark";

/** One node of the picture. */
export interface SceneItem {
  /** Unique in the scene. */
  readonly id: string;
  readonly kind: ItemKind;
  /** An op's glyph (`+`, `×`) or name, a leaf's or output's name. */
  readonly label: string;
  /** What texts call it where the label is a glyph: the name of its value. */
  readonly name?: string;
  /** The full name: tooltip and accessible name. */
  readonly title: string;
  /** Small type under a leaf's name, such as `64×3`. */
  readonly shape?: string;
  /** Drawn pale: the walk has not come here yet. */
  readonly pending?: boolean;
  /** The group it stands in. */
  readonly group?: string;
  /** A module that stands for so many like it in a row. */
  readonly repeat?: number;
  /** A remark in a small pill on its upper edge, such as `41% off` or `NaN`. */
  readonly note?: string;
  /** How strongly its body is coloured, from 0 to 1: its share of something, such as time. */
  readonly heat?: number;
}

/** An open module: a box around its items, with a title. */
export interface SceneGroup {
  /** Unique among items and groups. */
  readonly id: string;
  readonly label: string;
  readonly title: string;
  /** The group around it, which stands before it in the list. */
  readonly group?: string;
}

/** A value on its way from an item's output to an operand of another item. */
export interface SceneWire {
  readonly from: string;
  readonly output: number;
  readonly to: string;
  /** The operand's place; the wires into one item are drawn in this order from top to bottom. */
  readonly input: number;
  /** The value, upright above the wire. */
  readonly above: string;
  /** The gradient, in italics below the wire. `zero`, `none` and `not yet` have their own signs and ignore it. */
  readonly below: string;
  readonly gradient: GradientState;
  /** More than one number travels here: a thicker wire. */
  readonly tensor?: boolean;
  /** The value is stretched to its consumer's shape: a dotted wire. */
  readonly broadcast?: boolean;
  /** Seen from the active item: the wire its gradient arrives on, or one it passes a gradient down. */
  readonly flow?: "upstream" | "downstream";
  /** The number that has just been written, drawn larger. */
  readonly fresh?: "value" | "gradient";
  /** The local gradient `∂out/∂in`, in a chip under the gradient. */
  readonly localGradient?: string;
  /** What the chip says instead where the local gradient is no single number: a range, or the op's rule. */
  readonly rule?: string;
  /** Bars of a small histogram beside the value, each from 0 to 1. */
  readonly aboveBars?: readonly number[];
  /** Bars of a small histogram beside the gradient, each from 0 to 1. */
  readonly belowBars?: readonly number[];
}

/** The common stretch of an output that several wires share: gradients of its branches are added here. */
export interface SceneTrunk {
  readonly from: string;
  readonly output: number;
  readonly above: string;
  /** The sum over the branches. */
  readonly below: string;
  readonly gradient: GradientState;
  /** How many gradients are added here, where that is not the number of wires: several may enter one closed module as one wire. */
  readonly branches?: number;
  /** Lights the `Σ` badge: this step adds the branches. */
  readonly active?: boolean;
}

/** A computational graph as a picture: plain data, so that a graph, a trained model or a page can all make one. */
export interface Scene {
  /** Name of the picture, read out first by a screen reader. */
  readonly title: string;
  readonly description?: string;
  readonly items: readonly SceneItem[];
  readonly wires: readonly SceneWire[];
  /** One for each output whose branches' gradients are summed; give it to outputs with two wires or more. */
  readonly trunks?: readonly SceneTrunk[];
  readonly groups?: readonly SceneGroup[];
  /** `right` when left out. */
  readonly direction?: Direction;
  /** The id of the item whose step is shown. */
  readonly active?: string;
  readonly theme?: Theme;
}

/**
 * Checks that a scene can be drawn: ids unique, wires between known items, at most one wire into each operand, output items at ends only, trunks
 * on outputs that have wires. Cycles are found by the layout.
 *
 * @throws GraphError naming the first item, wire or trunk at fault.
 */
export function checkScene(scene: Scene): void {
  const kinds = new Map<string, ItemKind>();
  for (const item of scene.items) {
    if (kinds.has(item.id)) throw new GraphError(`draw: two items have the id ${quote(item.id)}; give each item its own`);
    kinds.set(item.id, item.kind);
  }
  const groups = new Set<string>();
  for (const { id, group } of scene.groups ?? []) {
    if (kinds.has(id) || groups.has(id)) throw new GraphError(`draw: two items or groups have the id ${quote(id)}; give each its own`);
    if (group !== undefined && !groups.has(group))
      throw new GraphError(`draw: the group ${quote(id)} lies in ${quote(group)}, which is no group before it; list outer groups first`);
    groups.add(id);
  }
  for (const { id, group } of scene.items)
    if (group !== undefined && !groups.has(group))
      throw new GraphError(`draw: the item ${quote(id)} lies in ${quote(group)}, which is no group of the scene; add the group`);
  const operands = new Set<string>();
  const outputs = new Set<string>();
  for (const wire of scene.wires) {
    const name = `the wire from ${quote(wire.from)} to ${quote(wire.to)}`;
    for (const end of [wire.from, wire.to]) {
      if (!kinds.has(end))
        throw new GraphError(`draw: ${name} ends at ${quote(end)}, which is no item of the scene; add the item or drop the wire`);
    }
    for (const place of [wire.output, wire.input]) {
      if (!Number.isInteger(place) || place < 0 || place > 9999) {
        throw new GraphError(`draw: ${name} uses port ${place}; ports are whole numbers from 0 to 9999`);
      }
    }
    if (kinds.get(wire.from) === "output") {
      throw new GraphError(`draw: ${name} starts at an output item; start it at the item that feeds that output`);
    }
    const operand = `${wire.input} ${wire.to}`;
    if (operands.has(operand)) {
      throw new GraphError(
        `draw: two wires end at operand ${wire.input} of ${quote(wire.to)}; an operand takes one value, give each wire its own input`,
      );
    }
    operands.add(operand);
    outputs.add(`${wire.output} ${wire.from}`);
  }
  for (const trunk of scene.trunks ?? []) {
    if (!outputs.has(`${trunk.output} ${trunk.from}`)) {
      throw new GraphError(`draw: the trunk at output ${trunk.output} of ${quote(trunk.from)} has no wires; drop it or add its branches`);
    }
  }
  if (scene.active !== undefined && !kinds.has(scene.active)) {
    throw new GraphError(`draw: the active item ${quote(scene.active)} is no item of the scene; name one of its items or leave active out`);
  }
}

function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
