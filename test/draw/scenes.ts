import { formatNumber } from "../../src/draw/format-number.ts";
import type { ItemKind, Scene, SceneItem, SceneTrunk, SceneWire } from "../../src/draw/scene.ts";

/** A scalar circuit for test pictures: it knows its values and gradients, so that the pictures show true numbers. */
interface Gate {
  readonly kind: ItemKind;
  readonly label: string;
  readonly inputs: readonly number[];
  readonly value: number;
  /** The derivative with respect to each input. */
  readonly local: readonly number[];
}

export class Circuit {
  readonly gates: Gate[] = [];

  add(kind: ItemKind, label: string, inputs: readonly number[], value: number, local: readonly number[]): number {
    return this.gates.push({ kind, label, inputs, value, local }) - 1;
  }
  parameter(label: string, value: number): number {
    return this.add("parameter", label, [], value, []);
  }
  input(label: string, value: number): number {
    return this.add("input", label, [], value, []);
  }
  constant(value: number): number {
    return this.add("constant", String(value), [], value, []);
  }
  of(gate: number): number {
    return this.gates[gate]!.value;
  }
  plus(a: number, b: number): number {
    return this.add("op", "+", [a, b], this.of(a) + this.of(b), [1, 1]);
  }
  minus(a: number, b: number): number {
    return this.add("op", "−", [a, b], this.of(a) - this.of(b), [1, -1]);
  }
  times(a: number, b: number): number {
    return this.add("op", "×", [a, b], this.of(a) * this.of(b), [this.of(b), this.of(a)]);
  }
  max(a: number, b: number): number {
    const first = this.of(a) > this.of(b);
    return this.add("op", "max", [a, b], Math.max(this.of(a), this.of(b)), first ? [1, 0] : [0, 1]);
  }
  unary(label: string, a: number, value: (x: number) => number, slope: (x: number) => number): number {
    return this.add("op", label, [a], value(this.of(a)), [slope(this.of(a))]);
  }
  exp(a: number): number {
    return this.unary("exp", a, Math.exp, Math.exp);
  }
  square(a: number): number {
    return this.unary(
      "x²",
      a,
      (x) => x * x,
      (x) => 2 * x,
    );
  }
  tanh(a: number): number {
    return this.unary("tanh", a, Math.tanh, (x) => 1 - Math.tanh(x) ** 2);
  }

  /** The picture of a circuit; `active` shows the backward step of that gate. */
  scene(title: string, output: number, options: { active?: number; theme?: Scene["theme"]; small?: boolean; name?: string } = {}): Scene {
    const style = options.small === false ? "significant" : "decimals";
    const write = (x: number): string => formatNumber(x, { style });
    const done = (gate: number): boolean => options.active === undefined || gate >= options.active;
    const gradient = new Float64Array(this.gates.length);
    gradient[output] = 1;
    const wires: SceneWire[] = [];
    for (let g = output; g >= 0; g--) {
      const gate = this.gates[g]!;
      gate.inputs.forEach((from, input) => {
        const passed = gradient[g]! * gate.local[input]!;
        gradient[from]! += passed;
        const step = g === options.active ? ({ flow: "downstream", localGradient: write(gate.local[input]!) } as const) : {};
        const up = from === options.active ? ({ flow: "upstream" } as const) : {};
        const state = !done(g) ? "not yet" : this.gates[from]!.kind === "constant" ? "none" : passed === 0 ? "zero" : "number";
        const numbers = { above: write(this.of(from)), below: done(g) ? write(passed) : "", gradient: state } as const;
        wires.push({ from: `g${from}`, output: 0, to: `g${g}`, input, ...numbers, ...step, ...up });
      });
    }
    const last = { above: write(this.of(output)), below: write(1), gradient: "number" } as const;
    const up = output === options.active ? ({ flow: "upstream" } as const) : {};
    wires.push({ from: `g${output}`, output: 0, to: "out", input: 0, ...last, ...up });
    const uses = new Int32Array(this.gates.length);
    for (const gate of this.gates) for (const from of gate.inputs) uses[from]!++;
    const trunks: SceneTrunk[] = [];
    this.gates.forEach((gate, g) => {
      if (uses[g]! < 2 || gate.kind === "constant") return;
      const known = done(g);
      trunks.push({
        from: `g${g}`,
        output: 0,
        above: write(gate.value),
        below: known ? write(gradient[g]!) : "",
        gradient: known ? "number" : "not yet",
      });
    });
    const items: SceneItem[] = this.gates.map(({ kind, label }, g) => ({
      id: `g${g}`,
      kind,
      label,
      title: `${kind} ${label}`,
      pending: !done(g) && kind === "op",
    }));
    items.push({ id: "out", kind: "output", label: options.name ?? "f", title: "output" });
    const scene: Scene = { title, items, wires, trunks };
    return {
      ...scene,
      ...(options.active === undefined ? {} : { active: `g${options.active}` }),
      ...(options.theme === undefined ? {} : { theme: options.theme }),
    };
  }
}

export function lectureExample(theme?: Scene["theme"]): Scene {
  const c = new Circuit();
  const x = c.input("x", -2);
  const y = c.input("y", 5);
  const z = c.input("z", -4);
  return c.scene("f = (x + y) z", c.times(c.plus(x, y), z), theme ? { theme } : {});
}

/** The sigmoid neuron of the lecture, as eight gates; shows the backward step of its second product when asked. */
export function sigmoidNeuron(step = false, theme?: Scene["theme"]): Scene {
  const c = new Circuit();
  const w0 = c.parameter("w₀", 2);
  const x0 = c.input("x₀", -1);
  const w1 = c.parameter("w₁", -3);
  const x1 = c.input("x₁", -2);
  const w2 = c.parameter("w₂", -3);
  const first = c.times(w0, x0);
  const second = c.times(w1, x1);
  const sum = c.plus(c.plus(first, second), w2);
  const negative = c.unary(
    "×−1",
    sum,
    (x) => -x,
    () => -1,
  );
  const plusOne = c.unary(
    "+1",
    c.exp(negative),
    (x) => x + 1,
    () => 1,
  );
  const out = c.unary(
    "1/x",
    plusOne,
    (x) => 1 / x,
    (x) => -1 / (x * x),
  );
  return c.scene("a sigmoid neuron", out, { ...(step ? { active: second } : {}), ...(theme ? { theme } : {}) });
}

export function fanOut(): Scene {
  const c = new Circuit();
  const x = c.parameter("x", 3);
  return c.scene("f = x x + x", c.plus(c.times(x, x), x));
}

export function hinge(): Scene {
  const c = new Circuit();
  const x = c.parameter("x", 3);
  const y = c.parameter("y", -4);
  const z = c.parameter("z", 2);
  const w = c.parameter("w", -1);
  const doubled = c.times(c.plus(c.times(x, y), c.max(z, w)), c.constant(2));
  return c.scene("f = 2 (x y + max(z, w))", doubled);
}

/** About `8 + 6.5 n` items: a network of three inputs, `hidden` tanh neurons and one output, with a squared loss and weight decay. */
export function network(hidden: number, inputs = 3): Scene {
  const c = new Circuit();
  let seed = 7;
  const next = (): number => Math.round((((seed = (seed * 48271) % 2147483647) / 2147483647) * 4 - 2) * 100) / 100;
  const x = Array.from({ length: inputs }, (_, i) => c.input(`x${i}`, next()));
  let out = -1;
  let decay = -1;
  for (let h = 0; h < hidden; h++) {
    let sum = -1;
    for (let i = 0; i < inputs; i++) {
      const product = c.times(c.parameter(`w${h}${i}`, next()), x[i]!);
      sum = sum < 0 ? product : c.plus(sum, product);
    }
    const u = c.parameter(`u${h}`, next());
    const term = c.times(u, c.tanh(c.plus(sum, c.parameter(`b${h}`, next()))));
    out = out < 0 ? term : c.plus(out, term);
    decay = decay < 0 ? c.square(u) : c.plus(decay, c.square(u));
  }
  const error = c.square(c.minus(c.plus(out, c.parameter("c", 0.3)), c.input("y", 1.5)));
  return c.scene("a small network", c.plus(error, c.times(c.parameter("λ", 0.01), decay)), { small: false, name: "L" });
}

/** Tensors: two layers with broadcast biases, as a picture of shapes and norms. */
export function tensorNetwork(): Scene {
  const bars = [0.05, 0.2, 0.35, 0.7, 0.9, 1, 0.85, 0.6, 0.4, 0.2, 0.1];
  const item = (id: string, kind: ItemKind, label: string, shape?: string): SceneItem => ({
    id,
    kind,
    label,
    title: label,
    ...(shape ? { shape } : {}),
  });
  const wire = (from: string, to: string, input: number, above: string, below: string, more: Partial<SceneWire> = {}): SceneWire => ({
    from,
    output: 0,
    to,
    input,
    above,
    below,
    gradient: "number",
    tensor: true,
    aboveBars: bars,
    belowBars: bars.toReversed(),
    ...more,
  });
  return {
    title: "a network of two layers",
    items: [
      item("X", "input", "X", "64×3"),
      item("W1", "parameter", "W₁", "3×16"),
      item("b1", "parameter", "b₁", "16"),
      item("m1", "op", "matmul"),
      item("a1", "op", "+"),
      item("r", "op", "relu"),
      item("W2", "parameter", "W₂", "16×4"),
      item("m2", "op", "matmul"),
      item("h", "op", "hinge loss"),
      item("y", "input", "y", "64"),
      item("sq", "op", "sum of squares"),
      item("lam", "constant", "λ = 0.01"),
      item("mul", "op", "×"),
      item("add", "op", "+"),
      item("L", "output", "L"),
    ],
    wires: [
      wire("X", "m1", 0, "64×3", "", { gradient: "none" }),
      wire("W1", "m1", 1, "3×16", "‖∇‖ 8.4e−3"),
      wire("m1", "a1", 0, "64×16", "‖∇‖ 0.12"),
      wire("b1", "a1", 1, "16 ⇢ 64×16", "Σ₆₄ ‖∇‖ 0.021", { broadcast: true }),
      wire("a1", "r", 0, "64×16", "‖∇‖ 0.12"),
      wire("r", "m2", 0, "64×16", "‖∇‖ 0.35"),
      wire("W2", "m2", 1, "16×4", "‖∇‖ 3.1e−3"),
      wire("W2", "sq", 0, "16×4", "‖∇‖ 0.02"),
      wire("m2", "h", 0, "64×4", "‖∇‖ 0.012"),
      wire("y", "h", 1, "64", "", { gradient: "none" }),
      { from: "h", output: 0, to: "add", input: 0, above: "2.31", below: "1.00", gradient: "number" },
      { from: "sq", output: 0, to: "mul", input: 0, above: "8.42", below: "0.01", gradient: "number" },
      { from: "lam", output: 0, to: "mul", input: 1, above: "0.01", below: "", gradient: "none" },
      { from: "mul", output: 0, to: "add", input: 1, above: "0.08", below: "1.00", gradient: "number" },
      { from: "add", output: 0, to: "L", input: 0, above: "2.39", below: "1.00", gradient: "number" },
    ],
    trunks: [{ from: "W2", output: 0, above: "16×4", below: "‖∇‖ 0.023", gradient: "number" }],
  };
}
