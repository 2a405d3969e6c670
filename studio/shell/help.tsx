import type { JSX } from "preact";
import { words } from "../words/words.ts";
import { Dialog } from "./dialog.tsx";

const keys = [
  [".", "keyNext"],
  [",", "keyPrevious"],
  ["Space", "keyPlay"],
  ["Home / End", "keyEnds"],
  ["f / b", "keyPasses"],
  ["← → ↑ ↓", "keyArrows"],
  ["Enter", "keyEnter"],
  ["e", "keyEdit"],
  ["c", "keyCheck"],
  ["g  /  Ctrl K", "keyPalette"],
  ["0", "keyFit"],
  ["1 … 9", "keyDepth"],
  ["Esc", "keyEscape"],
  ["?", "keyHelp"],
] as const;

/** All keys, and how to begin. */
export function Help(): JSX.Element {
  const w = words.value;
  return (
    <Dialog id="help" title={w.help}>
      <p>{w.helpStart}</p>
      <p class="quiet">{w.helpFocus}</p>
      <table class="keys">
        <tbody>
          {keys.map(([key, what]) => (
            <tr key={key}>
              <th scope="row">
                <kbd>{key}</kbd>
              </th>
              <td>{w[what]}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Dialog>
  );
}
