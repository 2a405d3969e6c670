import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { calm, facts } from "./client.ts";
import { layerTitle } from "./health-panel.tsx";
import { short, words } from "./words.ts";

/** Rows of the table at most; the files have all. */
const most = 600;

/** All that the picture of the net says, as a table: the weight from each to each, and the biases. */
export function NumbersPanel(): JSX.Element {
  const w = words.value;
  const open = useSignal(false);
  return (
    <details class="train-card all-numbers" open={open.value} onToggle={(event) => (open.value = event.currentTarget.open)}>
      <summary>{w.numbers}</summary>
      {open.value && <Numbers />}
    </details>
  );
}

function Numbers(): JSX.Element {
  const w = words.value;
  const now = calm.value;
  const known = facts.value;
  const rows: JSX.Element[] = [];
  if (now !== null && known !== null)
    known.layers.forEach(({ name }, i) => {
      const part = now.weights[i];
      if (part === undefined || part.w.length !== part.rows * part.columns) return;
      for (let c = 0; c < part.columns && rows.length < most; c++) {
        const cells = Array.from({ length: Math.min(part.rows, 24) }, (_, r) => short(part.w[r * part.columns + c]!));
        rows.push(
          <tr key={`${name} ${c}`}>
            <th scope="row">{`${layerTitle(name, w)}, ${c + 1}`}</th>
            <td>{cells.join("  ")}</td>
            <td>{short(part.b[c]!)}</td>
          </tr>,
        );
      }
    });
  return (
    <div class="wide-table" tabIndex={0} role="group" aria-label={w.numbers}>
      <table>
        <thead>
          <tr>
            <th scope="col">{w.layer}</th>
            <th scope="col">{w.weights}</th>
            <th scope="col">{w.bias}</th>
          </tr>
        </thead>
        <tbody>{rows}</tbody>
      </table>
    </div>
  );
}
