import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { faultWords } from "../faults/fault-words.ts";
import { grouped, kept } from "../words/words.ts";
import { type InputTrouble, scales } from "./given-input.ts";
import { checked, choiceOf, choose, giveFile, givenOf, inputFiles } from "./inputs.ts";
import type { InputFacts, PortFacts } from "./protocol.ts";
import { check } from "./session.ts";
import { short } from "./short.ts";
import { longestText, sources } from "./state.ts";
import type { ImportWords } from "./words-en.ts";

/** What is wrong with an input, in a sentence. */
export function tellTrouble(trouble: InputTrouble, words: ImportWords): string {
  const { troubles } = words;
  switch (trouble.what) {
    case "empty":
    case "brackets":
      return troubles[trouble.what];
    case "number":
      return troubles.number(trouble.text);
    case "ragged":
      return troubles.ragged(trouble.one, trouble.other);
    case "whole":
      return troubles.whole(trouble.x, trouble.dtype);
    case "range":
      return troubles.range(trouble.x, trouble.dtype, trouble.least, trouble.most);
    case "shape":
      return trouble.isList
        ? troubles[trouble.isOpen ? "multiple" : "count"](trouble.given, trouble.wanted, grouped(trouble.count))
        : troubles.shape(trouble.given, trouble.wanted);
    case "choose":
      return troubles.choose(grouped(trouble.rows), grouped(trouble.takes));
    case "row":
      return troubles.row(trouble.row, grouped(trouble.rows));
    case "entry":
      return troubles.entry(trouble.names.slice(0, 20).join(", "));
    case "image":
      return troubles.image(trouble.wanted);
    case "kind":
      return troubles.kind(trouble.name);
    case "emptyFile":
      return troubles.emptyFile(trouble.name);
    case "sizes":
      return troubles.sizes(trouble.name, trouble.one, trouble.other);
    case "integers":
      return troubles.integers(trouble.output);
    case "class":
      return troubles.class(trouble.x, grouped(trouble.classes - 1), trouble.output);
    case "targets":
      return troubles.targets(trouble.given, grouped(trouble.rows), trouble.output);
  }
}

function Verdict({ name, words }: { readonly name: string; readonly words: ImportWords }): JSX.Element {
  const found: InputFacts | undefined = checked.value.get(name);
  const isMissing = givenOf(name) === "missing";
  const fault = isMissing
    ? words.giveAgain(choiceOf(name).file ?? "")
    : found === undefined || "facts" in found
      ? null
      : "trouble" in found
        ? tellTrouble(found.trouble, words)
        : faultWords.value(found.fault);
  return (
    <p role="status" class={fault === null ? "import-kinds" : "import-fault"}>
      {(fault !== null && kept(fault)) ||
        (found !== undefined && "facts" in found ? words.inputFits(found.type, short(found.facts.min), short(found.facts.max)) : "")}
    </p>
  );
}

function FileFields({ name, words }: { readonly name: string; readonly words: ImportWords }): JSX.Element {
  const choice = choiceOf(name);
  const found = checked.value.get(name);
  const file = inputFiles.value.get(name);
  const rows = found !== undefined && "facts" in found ? found.rows : null;
  const names = found !== undefined && "trouble" in found && found.trouble.what === "entry" ? found.trouble.names : [];
  return (
    <>
      <label class="button">
        {words.inputFile}
        <input
          type="file"
          aria-label={words.inputFileOf(name)}
          accept=".npy,.npz,.safetensors,.csv,.tsv,.txt,.png,.jpg,.jpeg,.webp"
          onChange={(event) => {
            const [given] = event.currentTarget.files ?? [];
            if (given !== undefined) giveFile(name, given);
            event.currentTarget.value = "";
          }}
        />
      </label>{" "}
      {choice.file !== null && <small>{choice.file}</small>}
      {(names.length > 0 || choice.entry !== null) && (
        <label>
          {words.entry}{" "}
          <select value={choice.entry ?? ""} onChange={(event) => choose(name, { entry: event.currentTarget.value || null })}>
            {[...(choice.entry === null ? [""] : [choice.entry]), ...names.filter((entry) => entry !== choice.entry)].map((entry) => (
              <option key={entry}>{entry}</option>
            ))}
          </select>
        </label>
      )}
      {file !== undefined && /\.(png|jpe?g|webp)$/i.test(file.name) ? (
        <label>
          {words.pixels}{" "}
          <select
            value={choice.scale}
            onChange={(event) => choose(name, { scale: scales.find((scale) => scale === event.currentTarget.value) ?? "unit" })}
          >
            {scales.map((scale) => (
              <option key={scale} value={scale}>
                {words.scales[scale]}
              </option>
            ))}
          </select>
        </label>
      ) : (
        <label>
          {words.row(rows === null ? "" : grouped(rows))}{" "}
          <input
            type="number"
            class="import-row"
            min={1}
            step={1}
            value={choice.row ?? ""}
            onInput={(event) => {
              const row = event.currentTarget.valueAsNumber;
              choose(name, { row: Number.isInteger(row) && row >= 1 ? row : null });
            }}
          />
        </label>
      )}
    </>
  );
}

/** One input of the model: drawn from the seed, typed, or taken from a file, which may be dropped here. */
function InputField({ name, type, words }: PortFacts & { readonly words: ImportWords }): JSX.Element {
  const choice = choiceOf(name);
  const file = inputFiles.value.get(name);
  useEffect(() => {
    // A word is not checked before it is typed.
    const timer = setTimeout(() => void check(name), choice.from === "text" ? 200 : 0);
    return () => clearTimeout(timer);
  }, [name, choice, file]);
  return (
    <fieldset
      class="import-input"
      data-input={name}
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        const [given] = event.dataTransfer?.files ?? [];
        if (given === undefined) return;
        // Else the page would open it.
        event.preventDefault();
        giveFile(name, given);
      }}
    >
      <legend>
        <b>{name}</b> <small>{type}</small>
      </legend>
      <select
        aria-label={words.inputFrom(name)}
        value={choice.from}
        onChange={(event) => choose(name, { from: sources.find((source) => source === event.currentTarget.value) ?? "seed" })}
      >
        {sources.map((source) => (
          <option key={source} value={source}>
            {words.sources[source]}
          </option>
        ))}
      </select>
      {choice.from === "text" && (
        <textarea
          rows={3}
          spellcheck={false}
          maxLength={longestText}
          aria-label={words.inputNumbers(name)}
          placeholder={words.inputHint}
          value={choice.text}
          onInput={(event) => choose(name, { text: event.currentTarget.value })}
        />
      )}
      {choice.from === "file" && <FileFields name={name} words={words} />}
      {choice.from !== "seed" && <Verdict name={name} words={words} />}
    </fieldset>
  );
}

/** More inputs than this nobody fills in by hand; the others are drawn. */
const mostShown = 60;

/** The model's inputs, each with where its numbers come from. */
export function InputFields({ inputs, words }: { readonly inputs: readonly PortFacts[]; readonly words: ImportWords }): JSX.Element {
  return (
    <details class="import-inputs" open={inputs.length <= 3}>
      <summary>{words.inputs}</summary>
      {inputs.slice(0, mostShown).map(({ name, type }) => (
        <InputField key={name} name={name} type={type} words={words} />
      ))}
    </details>
  );
}
