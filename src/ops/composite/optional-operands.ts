import { isOperand } from "../../ir/leaf.ts";
import type { Operand } from "../../ir/op.ts";
import { known } from "../define.ts";

/**
 * Splits `scale?, bias?, attrs?` as ops take them: an operand left out, null, or the attribute record standing where it would be.
 * @throws GraphError for attributes that are not among `names`
 */
export function optionalOperands<A extends object>(
  op: string,
  names: readonly (keyof A & string)[],
  count: number,
  args: readonly (Operand | A | null | undefined)[],
): { readonly operands: readonly (Operand | null)[]; readonly attrs: A } {
  const operands: (Operand | null)[] = [];
  let at = 0;
  while (operands.length < count) {
    const x = args[at];
    if (x === null || x === undefined || isOperand(x)) {
      operands.push((x as Operand | null | undefined) ?? null);
      at++;
    } else operands.push(null);
  }
  return { operands, attrs: known(op, (args[at] ?? {}) as A, names) };
}
