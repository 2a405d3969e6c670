import type { ToldFlow, ToldStep } from "chainrule";
import type { JSX } from "preact";
import { language } from "../state/store.ts";
import { kept } from "../words/words.ts";
import { Icon, type icons } from "./icons.tsx";
import { Maths } from "./math.tsx";
import { engine, engineTrouble, loadEngine, written } from "./model.ts";
import { Products } from "./product.tsx";
import { graphWords } from "./words.ts";
import type { GraphWords } from "./words-en.ts";

const iconOf: Readonly<Record<string, keyof typeof icons>> = {
  distributor: "distributor",
  negator: "distributor",
  spread: "distributor",
  switcher: "switcher",
  product: "switcher",
  router: "router",
  selector: "router",
};

/** Lines under each other, because matrices beside each other are wider than the card; wide ones in small type. */
function stacked(lines: readonly string[]): string {
  const columns = Math.max(...lines.map((line) => (/matrix\} (.*?)(?:\\\\|\\end)/.exec(line)?.[1] ?? "").split("&").length));
  const size = columns > 5 ? "\\scriptsize" : columns > 3 ? "\\footnotesize" : "\\small";
  return `${size}\\begin{aligned} ${lines.join(" \\\\ ")} \\end{aligned}`;
}

/** A step's formula as the library gives it, broken before each matrix. */
function broken(tex: string): string {
  if (!tex.includes("matrix")) return tex;
  return stacked(tex.replace(" = ", " &= ").replaceAll(" = \\begin", "\n&= \\begin").replaceAll(" + \\begin", "\n&+ \\begin").split("\n"));
}

/** The formula of one flow: local times upstream, or the op's rule with its shapes. */
function texOf(flow: ToldFlow, w: GraphWords): string {
  const named = (css: string, body: string, below: string): string => `\\underbrace{\\htmlClass{${css}}{${body}}}_{\\text{${below}}}`;
  const result = `\\htmlClass{t-grad t-strong}{${flow.result}}`;
  const isMatrix = [flow.local, flow.upstream, flow.result].some((piece) => piece?.includes("matrix") === true);
  if (flow.local !== null && isMatrix)
    return stacked([
      `${flow.left} &= ${named("t-local", flow.local, w.local)}`,
      `&\\times ${named("t-grad", flow.upstream, w.upstream)}`,
      `&= ${result}`,
    ]);
  if (flow.local !== null)
    return `${flow.left} = ${named("t-local", flow.local, w.local)} \\times ${named("t-grad", flow.upstream, w.upstream)} = ${result}`;
  if (flow.rule !== null && isMatrix) return stacked([`${flow.left} &= ${flow.rule}`, `&= ${result}`]);
  return flow.rule === null ? `${flow.left} = ${result}` : `${flow.left} = ${flow.rule} = ${result}`;
}

/** What a screen reader says of a flow. */
export function flowSentence(flow: ToldFlow, w: GraphWords): string {
  const { local, upstream, rule, result } = flow.text;
  return local !== null ? w.say.flow(flow.into, local, upstream, result) : w.say.rule(flow.into, rule ?? "", result);
}

/** One sentence on a step. */
export function sentenceOf(step: ToldStep | null, name: string, f: string, w: GraphWords, shown: number | null): string {
  if (step === null) return w.say.start;
  if (step.kind === "forward") return w.say.forward(step.op, step.lines[0] ?? "");
  if (step.kind === "seed") return w.say.seed(f);
  if (step.kind === "sum") return (step.lines[0] ?? "").length < 200 ? `Σ ${name}: ${step.lines[0]}. ${step.sentence}` : step.sentence;
  const flows = shown === null ? step.flows : step.flows.slice(shown - 1, shown);
  return `${step.op}: ${flows.map((flow) => flowSentence(flow, w)).join("; ")}`;
}

function Flow({ flow }: { readonly flow: ToldFlow }): JSX.Element {
  const w = graphWords.value;
  return (
    <div class="flow">
      <Maths tex={texOf(flow, w)} label={flowSentence(flow, w)} />
      {flow.branches > 1 && <span class="pill">{w.branchNote(flow.branch, flow.branches)}</span>}
      {flow.summed.length > 0 && <p class="quiet">{w.summedNote(flow.summed.map(({ axis, size }) => w.axis(axis, size)).join(", "))}</p>}
    </div>
  );
}

/** The sentence without the gate's name before the colon, which the badge has. */
function withoutName({ kind, sentence }: ToldStep): string {
  const parts = sentence.split(": ");
  const rest =
    kind === "sum" && parts.length > 2
      ? `${parts[0]}: ${parts.at(-1)}`
      : kind === "gate" && parts.length > 1
        ? parts.slice(1).join(": ")
        : sentence;
  const first = /^[a-z]+ /.test(rest) ? rest.charAt(0).toUpperCase() : rest.charAt(0);
  return `${first}${rest.slice(1)}${rest.endsWith(".") ? "" : "."}`;
}

/** What happens in the step that is shown: the gate and its name, local times upstream, one sentence. */
export function StepCard(): JSX.Element {
  const w = graphWords.value;
  const { made, at } = written.value;
  const library = engine.value;
  if (engineTrouble.value)
    return (
      <section class="card" id="step-card">
        <p>{w.engineFailed}</p>
        <button type="button" onClick={loadEngine}>
          {w.tryAgain}
        </button>
      </section>
    );
  if (made === null || library === null) return <section class="card" id="step-card" aria-busy="true" />;
  const { t, edge } = at;
  const { walk } = made;
  const step = library.told(made, t, language.value);
  const isForward = t <= walk.forward;
  const heading =
    step === null
      ? w.start
      : w.stepOf(
          isForward ? w.forward : w.backward,
          isForward ? t : t - walk.forward,
          isForward ? walk.forward : walk.steps.length - walk.forward,
        );
  const name = walk.steps[t - 1]?.name ?? "";
  const value = made.picture.steps[walk.forward - 1];
  return (
    <section class="card" id="step-card" aria-label={w.trace}>
      <h2>
        <span>{heading}</span>
        {step?.kind === "gate" && (
          <span class="badge">
            <Icon of={iconOf[step.pattern ?? ""] ?? "scaler"} />
            {w.gateOf(step.op)} — {w[`pattern ${step.pattern!}`]}
          </span>
        )}
        {step?.kind === "sum" && (
          <span class="badge">
            <Icon of="adder" />
            {w.copyGate}
          </span>
        )}
      </h2>
      {step === null && <p>{w.startText}</p>}
      {step?.kind === "gate" &&
        step.flows.slice(0, edge ?? step.flows.length).map((flow, i) => <Flow key={`${t} ${i} ${flow.into}`} flow={flow} />)}
      {step !== null && step.kind !== "gate" && <Maths tex={broken(step.latex)} label={sentenceOf(step, name, made.name, w, null)} />}
      {step !== null && <Products made={made} t={t} edge={edge} />}
      {step !== null && step.sentence !== "" && <p class="sentence">{kept(withoutName(step))}</p>}
      {step?.kind === "gate" && step.flows.some(({ rule }) => rule?.includes("underset")) && <p class="quiet">{w.shapesMatch}</p>}
      {t === walk.forward && t > 0 && value?.pass === "forward" && (
        <p class="quiet">{w.forwardDone(made.name, library.short(value.value))}</p>
      )}
    </section>
  );
}
