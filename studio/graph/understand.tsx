import { signal } from "@preact/signals";
import type { Tensor, Value } from "chainrule";
import type { JSX } from "preact";
import { faultWords } from "../faults/fault-words.ts";
import { say } from "../shell/live.tsx";
import { HeatMap, Histogram } from "./facts.tsx";
import { HealthLimits, HealthProfile } from "./health.tsx";
import { chosen, engine, hasModel, litItems, model, written } from "./model.ts";
import type { About } from "./questions.ts";
import { answer, ask } from "./understand-state.ts";
import { graphWords } from "./words.ts";

const mostElements = 24;
const copied = signal(false);

/** The value that is chosen, and what it is called. */
function chosenValue(): { readonly value: Value | null; readonly name: string; readonly op: string } | null {
  const made = model.value;
  const what = chosen.value;
  if (made === null || what === null) return null;
  const scene = made.picture.scene();
  if (what.kind === "wire") {
    if (what.index >= scene.wires.length) return null;
    const value = made.picture.valueOf(what.index);
    return { value, name: nameOf(value), op: value.node.op.name };
  }
  const item = scene.items.find(({ id }) => id === what.id);
  if (item === undefined) return null;
  if (item.kind === "output") return { value: made.f, name: made.name, op: made.f.node.op.name };
  const nodes = made.picture.nodesOf(what.id);
  const last = nodes.at(-1);
  const value = last === undefined || last.outputs !== null ? null : last;
  return {
    value,
    name: item.kind === "module" || value === null ? item.label : nameOf(value),
    op: item.kind === "module" ? graphWords.value.opsInside(nodes.length) : (value?.op.name ?? item.title),
  };
}

function nameOf(v: Value): string {
  const made = model.value!;
  const step = made.picture.steps.find((s) => s.node === v.node);
  const variable = Object.entries(made.variables).find(([, x]) => x.node === v.node)?.[0];
  return variable ?? step?.name ?? v.node.label ?? v.node.op.name;
}

function Elements({ value, gradient }: { readonly value: Tensor; readonly gradient: Tensor | null }): JSX.Element | null {
  const w = graphWords.value;
  const { shape } = value.type;
  if (shape.length === 0) return null;
  const index = (i: number): string => {
    let rest = i;
    const places: number[] = [];
    for (const size of [...shape].reverse()) {
      places.unshift(rest % size);
      rest = Math.floor(rest / size);
    }
    return `[${places.join(", ")}]`;
  };
  const number = (x: number | undefined): string => (x === undefined ? "" : String(Number.isFinite(x) ? Number(x.toPrecision(5)) : x));
  const count = Math.min(mostElements, value.data.length);
  return (
    <details>
      <summary>
        {w.element} × {value.data.length}
      </summary>
      <table class="numbers">
        <thead>
          <tr>
            <th scope="col">{w.element}</th>
            <th scope="col">{w.value}</th>
            <th scope="col">{w.gradient}</th>
          </tr>
        </thead>
        <tbody>
          {Array.from({ length: count }, (_, i) => (
            <tr key={i}>
              <th scope="row">{index(i)}</th>
              <td class="fwd">{number(value.data[i])}</td>
              <td class="grad">{gradient === null ? "·" : number(gradient.data[i])}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {value.data.length > count && <p class="quiet">{w.more(value.data.length - count)}</p>}
    </details>
  );
}

function NodeFacts(): JSX.Element {
  const w = graphWords.value;
  const about = chosenValue();
  const made = model.value;
  const library = engine.value;
  if (about === null || made === null || library === null) return <p class="quiet">{w.noNodes}</p>;
  const { value: v, name, op } = about;
  const value = v === null ? null : library.valueAt(made, v);
  const what = chosen.value;
  // Where branches add up, what this one brings.
  const part =
    what?.kind === "wire" && v !== null && made.picture.usesOf(what.index).length > 0 ? library.contributionOf(made, what.index) : null;
  const isPart = part !== null && part.at < (v === null ? 0 : (made.gradients.get(v)?.at ?? 0));
  const known = v === null ? undefined : v === made.f ? { tensor: seedOf(made.f), at: made.walk.forward + 1 } : made.gradients.get(v);
  const gradient = known !== undefined && known.at <= written.value.at.t ? known.tensor : null;
  return (
    <>
      <h3 id="node-name">
        {name} <span class="pill">{op}</span>
      </h3>
      <dl>
        {v !== null && (
          <>
            <dt>{w.type}</dt>
            <dd>
              {v.type.dtype}
              {v.type.shape.length > 0 ? `[${v.type.shape.join(", ")}]` : ""}
            </dd>
          </>
        )}
        {value !== null && (
          <>
            <dt>{w.value}</dt>
            <dd class="fwd">{library.line(value)}</dd>
          </>
        )}
        <dt>{w.gradient}</dt>
        <dd class={gradient === null ? "quiet" : "grad"}>
          {gradient !== null ? library.line(gradient) : known === undefined ? w.noGradient : w.notComputed}
        </dd>
        {isPart && (
          <>
            <dt>{w.alongWire}</dt>
            <dd id="along-wire" class={part.at <= written.value.at.t ? "grad" : "quiet"}>
              {part.at <= written.value.at.t ? library.line(part.tensor) : w.notComputed}
            </dd>
          </>
        )}
      </dl>
      {value !== null && value.type.shape.length > 0 && value.data.length > 0 && (
        <>
          <Histogram data={value.data as ArrayLike<number>} what={w.value} kind="fwd" />
          <HeatMap tensor={value} what={w.value} />
          {gradient !== null && (
            <>
              <Histogram data={gradient.data as ArrayLike<number>} what={w.gradient} kind="grad" />
              <HeatMap tensor={gradient} what={w.gradient} />
            </>
          )}
          <Elements value={value} gradient={gradient} />
        </>
      )}
    </>
  );
}

function seedOf(f: Value): Tensor {
  return { kind: "tensor", type: f.type, data: new Float64Array([1]) } as unknown as Tensor;
}

/** A text with rows of three columns or more in it, which are not broken: what is not in sight is scrolled to, and the columns stay under each other. */
function Columns({ text }: { readonly text: string }): JSX.Element {
  return (
    <>
      {text.split("\n").flatMap((line, i) => [
        i === 0 ? "" : "\n",
        <span key={i} class={/\S {2,}\S.* {2,}\S/.test(line) ? "in-columns" : ""}>
          {line}
        </span>,
      ])}
    </>
  );
}

function Answered(): JSX.Element | null {
  const w = graphWords.value;
  const shown = answer.value;
  if (shown === null) return null;
  const { about, answer: found } = shown;
  const title = w[about];
  if (found === null)
    return (
      <div class="answer" aria-busy="true">
        <h3>{title}</h3>
        <p>{w.working}</p>
      </div>
    );
  const number = (x: number): string => (Number.isFinite(x) ? String(Number(x.toPrecision(6))) : String(x));
  return (
    <div class="answer" id="answer-text">
      <h3>
        {title}
        {found.text !== null && (
          <button
            type="button"
            class="small"
            onClick={async () => {
              await navigator.clipboard?.writeText(found.text ?? "").catch(() => undefined);
              copied.value = true;
              say(w.copied);
            }}
          >
            {copied.value ? w.copied : w.copy}
          </button>
        )}
      </h3>
      {found.text !== null && (
        <pre tabIndex={0} role="region" aria-label={title} class={found.failed ? "wrong" : ""}>
          {found.failed ? faultWords.value(found.text) : about === "health" ? <Columns text={found.text} /> : found.text}
        </pre>
      )}
      {found.profile !== undefined && <HealthProfile rows={found.profile} />}
      {found.text === null && found.rows === null && <p>{about === "kinks" ? w.noKinks : w.allFinite}</p>}
      {found.rows?.length === 0 && <p>{w.noGradient}</p>}
      {found.rows !== null && found.rows.length > 0 && (
        <>
          <div class="sideways" role="region" aria-label={w.checkTitle} tabIndex={0}>
            <table class="numbers" id="check-table">
              <caption class="unseen">{w.checkTitle}</caption>
              <thead>
                <tr>
                  <th scope="col">∂{model.value?.name}/∂</th>
                  <th scope="col">{w.analytic}</th>
                  <th scope="col">{w.numeric}</th>
                  <th scope="col">{w.relativeError}</th>
                  <th scope="col">
                    <span class="unseen">{w.checkTitle}</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {found.rows.slice(0, 60).map((row) => (
                  <tr key={row.name}>
                    <th scope="row">{row.name}</th>
                    <td>{number(row.analytic)}</td>
                    <td>{number(row.numeric)}</td>
                    <td>{row.error.toExponential(1)}</td>
                    <td class={`verdict ${row.verdict}`}>
                      {row.verdict === "pass" ? "✓ " : row.verdict === "fail" ? "✗ " : "△ "}
                      {w[`verdict ${row.verdict}`]}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          {found.rows.length > 60 && <p class="quiet">{w.more(found.rows.length - 60)}</p>}
          <p class="quiet">{w.checkNote}</p>
        </>
      )}
    </div>
  );
}

function Ask({ about, needsChoice = false }: { readonly about: About; readonly needsChoice?: boolean }): JSX.Element {
  const w = graphWords.value;
  return (
    <button
      type="button"
      class="small"
      id={`ask-${about}`}
      disabled={!hasModel.value || (needsChoice && chosen.value === null)}
      aria-pressed={answer.value?.about === about}
      onClick={async () => {
        copied.value = false;
        await ask(about);
        document.getElementById("answer-text")?.scrollIntoView({ block: "nearest" });
        litItems.value = answer.peek()?.answer?.items ?? [];
        const text = answer.peek()?.answer?.text;
        say(`${w[about]}. ${text === null || text === undefined ? "" : text.slice(0, 300)}`);
      }}
    >
      {w[about]}
    </button>
  );
}

/** What there is to know of the chosen node or wire, and the questions that the library answers about it and about the whole graph. */
export function Understand(): JSX.Element {
  const w = graphWords.value;
  return (
    <section class="card understand" id="understand" aria-label={w.understand}>
      <h2>{w.understand}</h2>
      <NodeFacts />
      <div class="asks" role="group" aria-label={w.understand}>
        <Ask about="why" needsChoice={true} />
        <Ask about="paths" needsChoice={true} />
        <Ask about="checkOne" needsChoice={true} />
      </div>
      <div class="asks" role="group" aria-label={w.health}>
        <Ask about="checkAll" />
        <Ask about="health" />
        <Ask about="firstBad" />
        <Ask about="kinks" />
        <Ask about="latex" />
        <Ask about="markdown" />
      </div>
      <HealthLimits />
      <Answered />
    </section>
  );
}
