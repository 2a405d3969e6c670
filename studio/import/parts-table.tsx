import type { JSX } from "preact";
import type { Drawing } from "./protocol.ts";
import type { ImportWords } from "./words-en.ts";

/** More rows than this nobody reads; the search finds the rest. */
const mostRows = 1000;

/** All that the picture says, part by part: what each is, what it gets and from where, and the gradient that comes back. */
export function PartsTable({
  drawing,
  selected,
  words,
  onSelect,
}: {
  readonly drawing: Drawing;
  readonly selected: string | null;
  readonly words: ImportWords;
  readonly onSelect: (id: string) => void;
}): JSX.Element {
  const { items } = drawing;
  const { columns } = words;
  return (
    <div class="import-parts" tabIndex={0} role="group" aria-label={words.partsCaption}>
      <table id="import-parts">
        <caption class="unseen">{words.partsCaption}</caption>
        <thead>
          <tr>
            {[columns.part, columns.what, columns.inside, columns.from, columns.value, columns.gradient].map((title) => (
              <th key={title} scope="col">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {items.slice(0, mostRows).map((item) => (
            <tr key={item.id} class={item.id === selected ? "now" : ""} aria-current={item.id === selected ? "true" : undefined}>
              <th scope="row">
                <button type="button" class="small" onClick={() => onSelect(item.id)}>
                  {item.name}
                </button>
              </th>
              <td>
                {words.kindsOfParts[item.kind]}
                {item.label === item.name ? "" : ` ${item.label}`}
              </td>
              <td>{item.note}</td>
              <td>{item.from.map((i) => items[i]!.name).join(", ")}</td>
              <td class="fwd">{item.value}</td>
              <td class="grad">{item.gradient === "none" ? words.noGradient : item.gradient}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {items.length > mostRows && <p class="quiet">{words.moreParts(items.length - mostRows)}</p>}
    </div>
  );
}
