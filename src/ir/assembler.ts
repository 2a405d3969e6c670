// What an op with a compiled kernel of its own is given by an engine that compiles. Types alone: an op depends on no engine.

/** The code of a function for a machine with a stack, written instruction after instruction. Source: WebAssembly core specification 2.0 with fixed-width SIMD. */
export interface Instructions {
  get(local: number): unknown;
  set(local: number): unknown;
  int(x: number): unknown;
  float64(x: number): unknown;
  op(name: string): unknown;
  /** A load or a store so many bytes beyond the address on the stack. */
  mem(name: string, offset?: number): unknown;
  /** The first of the two numbers of a vector, or the second. */
  lane(name: string, index: number): unknown;
  block(body: () => void): unknown;
  loop(body: () => void): unknown;
  if(then: () => void, otherwise?: () => void): unknown;
  /** Leaves so many blocks, or begins a loop anew; `brIf` where the stack says so. */
  br(depth: number): unknown;
  brIf(depth: number): unknown;
}

/** The function that the kernel of a node is written into. */
export interface Assembler {
  readonly code: Instructions;
  /** Elementary functions of the vector on the stack. */
  readonly library: { write(code: Instructions, name: string, wide: string): void };
  /** Locals with the addresses of operands, results and temporary arrays; -1 for an operand that is not there. */
  readonly operands: readonly number[];
  readonly outs: readonly number[];
  readonly temps: readonly number[];
  /** A fresh local, by its number; types are bytes of the binary format, an address when left out. */
  local(type?: number): number;
  /**
   * C += A B, of doubles: on the stack are the address of A, its bytes from row to row and from column to column, the same of B, the address of C, its
   * bytes from row to row, and how many rows, columns and inner steps there are.
   */
  addProduct(): void;
  /** Ends the kernel: the op's reference kernel computes all of the results, or throws the error that says what is wrong. */
  fail(): void;
}

/** A compiled kernel of a node. Its operands and results are whole and in order, of f64 or f32. */
export interface CompiledLoops {
  /** Lengths of arrays of doubles that it needs while it runs; or what is in such an array from the first and stays. */
  readonly temps: readonly (number | Float64Array)[];
  /** The most rows, columns or inner steps of what it gives to {@link Assembler.addProduct}; 0: it does not. */
  readonly products: number;
  /** Multiplications and additions, about: what a profile predicts its time from. */
  readonly operations: number;
  write(into: Assembler): void;
}
