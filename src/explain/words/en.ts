/** English sentences of explanations. `ko.ts` has the same keys; the compiler holds them to it. */
export const en = {
  forward: "Forward pass",
  backward: "Backward pass",
  gradients: "Gradients",
  value: "value",
  variable: "variable",
  notes: "Notes",
  noForward: "nothing to compute",
  seed: (f: string) => `the pass starts with d${f}/d${f} = 1`,
  local: "local",
  upstream: "upstream",
  within: (scope: string) => `in ${scope}`,
  branch: (k: number, n: number) => `branch ${k} of ${n}`,
  sumOf: (n: number) => `${n} branches add up`,
  nothingFlows: "no gradient is asked for behind this gate",
  distributor: "add gate, the distributor: it hands the upstream gradient to every operand unchanged",
  negator: "subtract gate, a distributor: the upstream gradient goes on unchanged to the first operand, negated to the second",
  switcher: "mul gate, the switcher: each operand's local gradient is the value of the other one",
  router: "max gate, the router: the gradient goes to the operand that won, the others get 0",
  selector: "where gate, a router: the gradient goes to the side that was taken, the other gets 0",
  adder: "copy gate, the adder: gradients of the branches are summed",
  scaler: "the upstream gradient is scaled by the local one",
  pass: "the gradient passes unchanged",
  stop: "the gradient stops here",
  spread: "sum gate, a distributor: every element gets the gradient of its sum",
  reshaper: "elements only change places, and their gradients change back",
  product: "matrix product, a switcher: each factor's gradient is the upstream one times the other factor, transposed",
  loop: "a loop: the gradient goes back through its steps, the last one first",
  choice: "a branch: the gradient goes back through the side that was taken, the other gets 0",
  inside: "a graph as one gate: the gradient goes back through its inside",
  again: "a checkpoint: its inside is computed again, and the gradient goes back through it",
  rule: "the op's rule applied to the upstream gradient",
  kink: (name: string, op: string) =>
    `${name} sits on a kink or tie of ${op}; the convention of docs/conventions.md decides which derivative is used`,
  outside: (name: string, op: string, x: string) => `${name} is ${op} of ${x}, outside of where it is defined and smooth`,
  infinite: (name: string, op: string, v: string) => `${name} is ${v}, and it was ${op} that made it from finite operands`,
  infiniteGradient: (name: string, op: string, v: string) =>
    `the gradient of ${name} is ${v}, and it was the rule of ${op} that made it from a finite upstream gradient`,
  unused: (name: string) => `${name} does not influence the result; its gradient is 0`,
  integer: (name: string, type: string) => `${name} is ${type}; integers and truth values have no gradient`,
} as const;

type Words = { readonly [K in keyof typeof en]: (typeof en)[K] extends (...args: infer A) => string ? (...args: A) => string : string };

export type { Words };
