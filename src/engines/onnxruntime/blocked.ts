import { inputOp } from "../../ir/leaf.ts";
import type { Node, Value } from "../../ir/node.ts";
import { sizeOf } from "../../ir/shape.ts";
import type { Attribute, Emitter, OwnRows } from "../../onnx/emitter.ts";
import type { AttributeMessage, ModelMessage, NodeMessage, ValueMessage } from "../../onnx/schema.ts";
import { namesRead } from "../../onnx/tighten.ts";
import type { Windows } from "../../onnx/written-ops.ts";

/**
 * ONNX Runtime's own operators on images whose channels stand beside each other in blocks, as many as a vector register holds. It takes them by itself for weights that
 * are constants; those of a training are not, and it would unfold the image and multiply instead.
 */
const domain = "com.microsoft.nchwc";

type Attributes = Readonly<Record<string, Attribute>>;

/** More places than so many times those of the gradient, and a convolution over it, zeros around it included, is more work than it saves. */
const mostSpread = 1.25;

/** Blocks of channels: how many stand beside each other, 0 where there are no blocks, and from how many places on, those of all examples together, they are used. */
export interface Blocks {
  readonly channels: number;
  readonly places: number;
}

/** Kernels are brought into blocks in each run, which few places do not make up for. */
export const leastPlaces = 1024;

/** Whether a convolution, or its gradient by the input, is one that blocks of channels are good for. */
export function fitsBlocks(node: Node, { channels, places }: Blocks): boolean {
  const [first, kernel] = node.operands as readonly [Value, Value];
  const { shape } = (node.op.name === "conv" ? node : first).type;
  const [outs, inner, ...taps] = kernel.type.shape as readonly [number, number, ...number[]];
  // ONNX Runtime brings a constant into blocks itself, once, and leaves images in them from layer to layer.
  const isConstant = kernel.node.operands.length === 0 && kernel.node.op !== inputOp;
  return (
    channels > 0 &&
    !isConstant &&
    kernel.type.dtype === "f32" &&
    (node.attrs as unknown as Windows).groups === 1 &&
    taps.length === 2 &&
    sizeOf(taps) > 1 &&
    outs % channels === 0 &&
    inner % channels === 0 &&
    shape[0]! * sizeOf(shape.slice(2)) >= places
  );
}

/** How the convolutions of one model are written in blocks. */
export interface Blocked {
  readonly rows: OwnRows;
  /** The model with what its blocks need. */
  finish(model: ModelMessage): ModelMessage;
}

/** Rows of convolutions in blocks of channels. */
export function blocked(blocks: Blocks): Blocked {
  const { channels: block } = blocks;
  let used = false;
  const convolved = (e: Emitter, x: string, kernel: string, bias: readonly string[], channels: number, attributes: Attributes): string => {
    used = true;
    const own = (op: string, inputs: readonly string[], more: Attributes): string => e.several(op, inputs, 1, more, domain)[0]!;
    const image = own("ReorderInput", [x], { channels_last: 0 });
    return own("ReorderOutput", [own("Conv", [image, kernel, ...bias], attributes)], { channels, channels_last: 0 });
  };
  const rows: OwnRows = {
    conv: (e, w) => {
      const { stride, padding, dilation } = w.node.attrs as unknown as Windows;
      const kernel = w.operands[1]!;
      if (!fitsBlocks(w.node, blocks)) return null;
      const [outs, inner, ...taps] = kernel.type.shape as readonly [number, number, ...number[]];
      const split = e.reshape(w.inputs[1]!, [outs / block, block, inner / block, block, ...taps]);
      const laid = e.reshape(e.transpose(split, [0, 2, 4, 5, 3, 1]), kernel.type.shape);
      const pads = [...padding.map(([low]) => low), ...padding.map(([, high]) => high)];
      const bias = w.inputs.slice(2).filter((x) => x !== "");
      return convolved(e, w.inputs[0]!, laid, bias, outs, { strides: stride, pads, dilations: dilation, group: 1, kernel_shape: taps });
    },
    /** The gradient by the input: a convolution of dy with the kernel turned round, where its windows lie side by side. */
    convInput: (e, w) => {
      const { stride, padding, dilation, size } = w.node.attrs as unknown as Windows;
      const [dy, kernel] = w.operands as readonly [Value, Value];
      if (!fitsBlocks(w.node, blocks) || stride.some((s) => s !== 1)) return null;
      const [outs, inner, ...taps] = kernel.type.shape as readonly [number, number, ...number[]];
      const places = dy.type.shape.slice(2);
      const low = taps.map((k, i) => (k - 1) * dilation[i]! - padding[i]![0]);
      const high = taps.map((k, i) => size[i]! - places[i]! + (k - 1) * dilation[i]! - low[i]!);
      if ([...low, ...high].some((p) => p < 0) || sizeOf(size) > mostSpread * sizeOf(places)) return null;
      const count = sizeOf(taps);
      const split = e.reshape(w.inputs[1]!, [outs / block, block, inner / block, block, count]);
      const turned = e.op("Gather", [split, e.ints(Array.from({ length: count }, (_, i) => count - 1 - i))], { axis: 4 });
      const laid = e.reshape(e.transpose(turned, [2, 0, 4, 1, 3]), [inner, outs, ...taps]);
      const attributes = { strides: stride, pads: [...low, ...high], dilations: dilation, group: 1, kernel_shape: taps };
      return convolved(e, w.inputs[0]!, laid, [], inner, attributes);
    },
  };
  return {
    rows,
    finish: (model) =>
      used
        ? {
            ...model,
            graph: { ...model.graph, node: withoutReorders(withReLU(model.graph?.node ?? [], model.graph?.output ?? [])) },
            opset_import: [...(model.opset_import ?? []), { domain, version: 1 }],
          }
        : model,
  };
}

/** Nodes with a ReLU behind a convolution made part of it, as ONNX Runtime does with convolutions of its own making. */
function withReLU(nodes: readonly NodeMessage[], outputs: readonly ValueMessage[]): NodeMessage[] {
  const convolutions = new Map<string, NodeMessage>();
  const images = new Map<string, NodeMessage>();
  const readers = new Map<string, number>();
  const read = (name: string): void => void readers.set(name, (readers.get(name) ?? 0) + 1);
  for (const node of nodes) {
    if (node.domain === domain) (node.op_type === "Conv" ? convolutions : images).set(node.output![0]!, node);
    namesRead(node).forEach(read);
  }
  for (const { name } of outputs) read(name!);
  const relu: AttributeMessage = { name: "activation", s: new TextEncoder().encode("Relu"), type: 3 };
  const changed = new Map<NodeMessage, NodeMessage | null>();
  for (const node of nodes) {
    const image = node.op_type === "Relu" ? images.get(node.input![0]!) : undefined;
    const convolution = image && convolutions.get(image.input![0]!);
    if (image === undefined || convolution === undefined || readers.get(image.output![0]!) !== 1) continue;
    changed.set(convolution, { ...convolution, attribute: [...(convolution.attribute ?? []), relu] });
    changed.set(image, { ...image, output: node.output! });
    changed.set(node, null);
  }
  return nodes.flatMap((node) => (changed.has(node) ? (changed.get(node) ?? []) : [node]));
}

/** Nodes without those that bring into blocks what came out of blocks. */
function withoutReorders(nodes: readonly NodeMessage[]): NodeMessage[] {
  const inBlocks = new Map<string, string>();
  const same = new Map<string, string>();
  const kept: NodeMessage[] = [];
  for (const node of nodes) {
    const known = node.op_type === "ReorderInput" ? inBlocks.get(node.input![0]!) : undefined;
    if (known !== undefined) {
      same.set(node.output![0]!, known);
      continue;
    }
    if (node.op_type === "ReorderOutput") inBlocks.set(node.output![0]!, node.input![0]!);
    kept.push(node.domain === domain ? { ...node, input: node.input!.map((name) => same.get(name) ?? name) } : node);
  }
  return kept;
}
