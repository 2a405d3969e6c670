import type { JSX } from "preact";
import { language } from "../state/store.ts";
import { engine, goTo, pause, written } from "./model.ts";
import { graphWords } from "./words.ts";

/** More rows are not drawn at once. */
const mostRows = 600;

/** The walk as a table, which says all that the picture says. What the walk has not come to is not told. */
export function TraceTable(): JSX.Element | null {
  const w = graphWords.value;
  const { made, at: place } = written.value;
  const library = engine.value;
  if (made === null || library === null) return null;
  const { t, edge } = place;
  const { walk, picture } = made;
  const rows: JSX.Element[] = [];
  for (const [i, step] of walk.steps.slice(0, mostRows).entries()) {
    const at = i + 1;
    const isShown = at <= t;
    const told = isShown ? library.told(made, at, language.value) : null;
    const isForward = step.pass === "forward";
    const raw = picture.steps[i]!;
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
  return (
    <div class="table-scroll" tabIndex={0} role="group" aria-label={w.tableCaption}>
      <table id="trace-table">
        <caption class="unseen">{w.tableCaption}</caption>
        <thead>
          <tr>
            {[
              columns.step,
              columns.pass,
              columns.gate,
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
      {walk.steps.length > mostRows && <p class="quiet">{w.more(walk.steps.length - mostRows)}</p>}
    </div>
  );
}
