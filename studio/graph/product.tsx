import { signal } from "@preact/signals";
import type { Step, Tensor } from "chainrule";
import type { JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { Model } from "./engine.ts";
import { engine } from "./model.ts";
import { graphWords } from "./words.ts";

/** Rows and columns that are shown at once, around the chosen ones. */
const most = 8;

interface Matrix {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  readonly at: (row: number, column: number) => number;
}

interface Product {
  readonly left: Matrix;
  readonly right: Matrix;
  readonly out: Matrix;
}

function matrix(name: string, t: Tensor, rows: number, columns: number): Matrix {
  return { name, rows, columns, at: (row, column) => t.data[row * columns + column]! };
}

function transposed({ name, rows, columns, at }: Matrix): Matrix {
  return { name: `${name}ᵀ`, rows: columns, columns: rows, at: (row, column) => at(column, row) };
}

/** The products of matrices in a step: the result of a matmul, or the gradients that it sends on; none where a batch of them is multiplied. */
function productsOf(step: Step, made: Model, valueAt: (made: Model, v: Model["f"]) => Tensor | null): Product[] {
  const { node } = step;
  if (node.op.name !== "matmul" || (step.pass === "backward" && step.kind !== "gate")) return [];
  const [a, b] = node.operands;
  if (a == null || b == null || a.type.shape.length > 2 || b.type.shape.length > 2) return [];
  // A vector is a row on the left and a column on the right.
  const inner = a.type.shape.at(-1)!;
  const rows = a.type.shape.length === 2 ? a.type.shape[0]! : 1;
  const columns = b.type.shape.length === 2 ? b.type.shape[1]! : 1;
  const values = [valueAt(made, a), valueAt(made, b)];
  if (values[0] == null || values[1] == null || rows * columns * inner === 0) return [];
  const names = [a, b].map(
    (v) => Object.entries(made.variables).find(([, x]) => x === v)?.[0] ?? made.picture.steps.find((s) => s.node === v.node)?.name ?? "·",
  );
  const left = matrix(names[0]!, values[0], rows, inner);
  const right = matrix(names[1]!, values[1], inner, columns);
  if (step.pass === "forward") return [{ left, right, out: matrix(step.name, step.value, rows, columns) }];
  if (step.kind !== "gate") return [];
  const upstream = matrix(`d${step.name}`, step.upstream, rows, columns);
  const found: Product[] = [];
  const places = node.operands.flatMap((v, i) => (v !== null && step.flows.some(({ to }) => to === v) ? [i] : []));
  step.flows.forEach(({ contribution }, i) => {
    const isLeft = (places[i] ?? i) === 0;
    if (isLeft) found.push({ left: upstream, right: transposed(right), out: matrix(`d${names[0]}`, contribution, rows, inner) });
    else found.push({ left: transposed(left), right: upstream, out: matrix(`d${names[1]}`, contribution, inner, columns) });
  });
  return found;
}

/** The element that the reader looks at, of the product `key`. */
const looked = signal<{ readonly key: string; readonly row: number; readonly column: number }>({ key: "", row: 0, column: 0 });

function windowOf(at: number | null, size: number): number[] {
  const first = at === null ? 0 : Math.max(0, Math.min(at - (most >> 1), size - most));
  return Array.from({ length: Math.min(most, size) }, (_, i) => first + i);
}

function Grid({ of, rows, columns, lit, children }: GridProps): JSX.Element {
  const w = graphWords.value;
  return (
    <table class="matrix">
      <caption>
        {of.name} <span class="quiet">{`${of.rows}×${of.columns}`}</span>
      </caption>
      <tbody>
        {rows.map((row) => (
          <tr key={row}>
            {columns.map((column) => (
              <td key={column} class={lit(row, column) ? "lit" : ""}>
                {children(row, column)}
              </td>
            ))}
            {columns.length < of.columns && <td aria-hidden="true">…</td>}
          </tr>
        ))}
        {rows.length < of.rows && (
          <tr>
            <td aria-hidden="true">⋮</td>
            <td class="unseen">{w.more(of.rows - rows.length)}</td>
          </tr>
        )}
      </tbody>
    </table>
  );
}

interface GridProps {
  readonly of: Matrix;
  readonly rows: readonly number[];
  readonly columns: readonly number[];
  readonly lit: (row: number, column: number) => boolean;
  readonly children: (row: number, column: number) => JSX.Element | string;
}

function OneProduct({ product: { left, right, out }, id }: { readonly product: Product; readonly id: string }): JSX.Element {
  const w = graphWords.value;
  const library = engine.value!;
  const short = (x: number): string => library.formatNumber(x);
  const now = looked.value;
  const row = now.key === id ? Math.min(now.row, out.rows - 1) : 0;
  const column = now.key === id ? Math.min(now.column, out.columns - 1) : 0;
  const rows = windowOf(row, out.rows);
  const columns = windowOf(column, out.columns);
  const inner = windowOf(null, left.columns);
  const moving = useRef<Element | null>(null);
  const go = (r: number, c: number, from: HTMLElement): void => {
    looked.value = { key: id, row: Math.max(0, Math.min(out.rows - 1, r)), column: Math.max(0, Math.min(out.columns - 1, c)) };
    moving.current = from.closest("table");
  };
  // With the element that is looked at, and not a frame later: what got the focus meanwhile keeps it.
  useLayoutEffect(() => {
    moving.current?.querySelector<HTMLElement>('button[tabindex="0"]')?.focus();
    moving.current = null;
  });
  const terms = inner.map((k) => `${short(left.at(row, k))}·${short(right.at(k, column))}`).join(" + ");
  const sum = `${out.name}[${row}, ${column}] = ${terms}${inner.length < left.columns ? " + …" : ""} = ${short(out.at(row, column))}`;
  return (
    <div class="product" role="group" aria-label={w.productOf(out.name, left.name, right.name)}>
      <div class="factors">
        <Grid of={left} rows={rows} columns={inner} lit={(r) => r === row}>
          {(r, k) => short(left.at(r, k))}
        </Grid>
        <Grid of={right} rows={inner} columns={columns} lit={(_, c) => c === column}>
          {(k, c) => short(right.at(k, c))}
        </Grid>
        <Grid of={out} rows={rows} columns={columns} lit={(r, c) => r === row && c === column}>
          {(r, c) => (
            <button
              type="button"
              tabIndex={r === row && c === column ? 0 : -1}
              aria-pressed={r === row && c === column}
              aria-label={w.elementAt(r, c, short(out.at(r, c)))}
              onClick={(event) => go(r, c, event.currentTarget)}
              onKeyDown={(event) => {
                const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
                if (step === undefined || event.isComposing) return;
                event.preventDefault();
                event.stopPropagation();
                go(row + step[0]!, column + step[1]!, event.currentTarget);
              }}
            >
              {short(out.at(r, c))}
            </button>
          )}
        </Grid>
      </div>
      <p class="quiet sum" role="status">
        {sum}
      </p>
    </div>
  );
}

/** Of a step that multiplies matrices: the factors with the row and the column lit that make the chosen element of the result. */
export function Products({
  made,
  t,
  edge,
}: {
  readonly made: Model;
  readonly t: number;
  readonly edge: number | null;
}): JSX.Element | null {
  const library = engine.value;
  const step = made.picture.steps[t - 1];
  if (library === null || step === undefined) return null;
  const found = productsOf(step, made, library.valueAt);
  const shown = edge === null ? found : found.slice(0, edge);
  if (shown.length === 0) return null;
  return (
    <details class="products" id="products">
      <summary>{graphWords.value.rowTimesColumn}</summary>
      {shown.map((product, i) => (
        <OneProduct key={`${t} ${i}`} id={`${made.read.source} ${t} ${i}`} product={product} />
      ))}
    </details>
  );
}
