import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { language } from "../state/store.ts";
import { Icon } from "./icons.tsx";
import { engine, goTo, pause, written } from "./model.ts";
import { graphWords } from "./words.ts";

/** Steps on a page of the table: more rows are not drawn at once. */
const pageSteps = 300;

/** The page that the reader has turned to, and at which step; the page follows the walk when it goes on. */
const turned = signal<{ readonly page: number; readonly t: number } | null>(null);

/** An operand with its value; a number in the formula is its own name. */
function arriving(name: string, value: string): string {
  return name === value ? name : `${name} = ${value}`;
}

/** The walk as a table, which says all that the picture says. What the walk has not come to is not told. */
export function TraceTable(): JSX.Element | null {
  const w = graphWords.value;
  const { made, at: place } = written.value;
  const library = engine.value;
  if (made === null || library === null) return null;
  const { t, edge } = place;
  const { walk, picture } = made;
  const pages = Math.max(1, Math.ceil(walk.steps.length / pageSteps));
  const asked = turned.value?.t === t ? turned.value.page : Math.floor(Math.max(0, t - 1) / pageSteps);
  const page = Math.min(asked, pages - 1);
  const first = page * pageSteps;
  const rows: JSX.Element[] = [];
  for (const [k, step] of walk.steps.slice(first, first + pageSteps).entries()) {
    const i = first + k;
    const at = i + 1;
    const isShown = at <= t;
    const told = isShown ? library.told(made, at, language.value) : null;
    const isForward = step.pass === "forward";
    const raw = picture.steps[i]!;
    // What comes into the gate: forward its operands, backward the value whose gradient arrives.
    const from =
      raw.pass === "forward"
        ? raw.operands.map(({ name, value }) => arriving(name, isShown ? library.line(value) : name)).join(", ")
        : raw.kind === "gate"
          ? raw.name
          : "";
    const lines = step.kind === "gate" && raw.pass === "backward" && raw.kind === "gate" ? raw.flows.length : 1;
    for (let line = 0; line < lines; line++) {
      const flow = told?.flows[at === t && edge !== null && line >= edge ? -1 : line];
      const known = told !== null && (step.kind !== "gate" || flow !== undefined);
      rows.push(
        <tr key={`${at} ${line}`} class={at === t ? "now" : ""} aria-current={at === t && line === 0 ? "step" : undefined}>
          {line === 0 && (
            <th scope="row" rowSpan={lines}>
              <button
                type="button"
                class="small"
                aria-label={w.chip(String(at), isForward ? at : at - walk.forward, isForward ? w.forward : w.backward, step.name)}
                onClick={() => {
                  pause();
                  goTo({ t: at, edge: null });
                }}
              >
                {at}
              </button>
            </th>
          )}
          {line === 0 && <td rowSpan={lines}>{isForward ? w.forward : w.backward}</td>}
          {line === 0 && (
            <td rowSpan={lines}>{step.kind === "seed" ? w.seedTitle : step.kind === "sum" ? `Σ ${step.name}` : raw.node.op.name}</td>
          )}
          {line === 0 && <td rowSpan={lines}>{from}</td>}
          <td>
            {step.kind === "gate" ? (raw.pass === "backward" && raw.kind === "gate" ? (raw.flows[line]?.into ?? "") : "") : step.name}
          </td>
          <td class="fwd">{isForward && raw.pass === "forward" ? (isShown ? library.line(raw.value) : w.notYet) : ""}</td>
          <td class="local">{step.kind === "gate" ? (flow === undefined ? w.notYet : (flow.text.local ?? flow.text.rule)) : ""}</td>
          <td class="grad">{step.kind === "gate" ? (flow?.text.upstream ?? w.notYet) : ""}</td>
          <td class="grad">
            {isForward
              ? ""
              : !known
                ? w.notYet
                : step.kind === "gate"
                  ? flow!.text.result
                  : raw.pass === "backward" && raw.kind !== "gate"
                    ? library.line(raw.gradient)
                    : ""}
          </td>
        </tr>,
      );
    }
  }
  const { columns } = w;
  const turn = (to: number): void => {
    turned.value = { page: Math.max(0, Math.min(pages - 1, to)), t };
  };
  const last = Math.min(first + pageSteps, walk.steps.length);
  return (
    <>
      {pages > 1 && (
        <nav class="pages" aria-label={w.pages}>
          <PageButton id="page-first" icon="first" label={w.firstPage} off={page === 0} onClick={() => turn(0)} />
          <PageButton id="page-previous" icon="previous" label={w.previousPage} off={page === 0} onClick={() => turn(page - 1)} />
          <span id="page-range" role="status">
            {w.pageRange(first + 1, last, walk.steps.length)}
          </span>
          <PageButton id="page-next" icon="next" label={w.nextPage} off={page === pages - 1} onClick={() => turn(page + 1)} />
          <PageButton id="page-last" icon="last" label={w.lastPage} off={page === pages - 1} onClick={() => turn(pages - 1)} />
        </nav>
      )}
      <div class="table-scroll" tabIndex={0} role="group" aria-label={w.tableCaption}>
        <table id="trace-table">
          <caption class="unseen">{w.tableCaption}</caption>
          <thead>
            <tr>
              {[
                columns.step,
                columns.pass,
                columns.gate,
                columns.from,
                columns.name,
                columns.value,
                columns.local,
                columns.upstream,
                columns.downstream,
              ].map((title) => (
                <th key={title} scope="col">
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>{rows}</tbody>
        </table>
      </div>
    </>
  );
}

interface PageButtonProps {
  readonly id: string;
  readonly icon: "first" | "previous" | "next" | "last";
  readonly label: string;
  readonly off: boolean;
  readonly onClick: () => void;
}

function PageButton({ id, icon, label, off, onClick }: PageButtonProps): JSX.Element {
  return (
    <button type="button" class="small" id={id} aria-label={label} title={label} aria-disabled={off} onClick={() => !off && onClick()}>
      <Icon of={icon} />
    </button>
  );
}
