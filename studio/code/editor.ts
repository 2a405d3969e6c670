import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { javascript } from "@codemirror/lang-javascript";
import { bracketMatching, HighlightStyle, indentOnInput, syntaxHighlighting } from "@codemirror/language";
import { Compartment, EditorState, type Extension } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view";
import { type Tag, tags } from "@lezer/highlight";

/** An editor in the page. */
export interface Editor {
  /** Replaces the whole text, if it is another one; the cursor goes to its start. */
  set(text: string): void;
  /** Puts the cursor on a line, counted from 1, and shows it. */
  goTo(line: number): void;
  /** What a screen reader calls it. */
  name(label: string): void;
  destroy(): void;
}

const colour = (
  tag: Tag | readonly Tag[],
  color: string,
  more: Record<string, string> = {},
): { tag: Tag | readonly Tag[]; color: string } => ({
  tag,
  color,
  ...more,
});

const look = EditorView.theme({
  "&": { height: "100%", backgroundColor: "var(--panel)", color: "var(--ink)" },
  ".cm-scroller": { fontFamily: 'ui-monospace, "Noto Sans Mono", monospace', fontSize: "0.8125rem", lineHeight: "1.55" },
  ".cm-gutters": { backgroundColor: "var(--panel)", color: "var(--muted)", border: "none" },
  ".cm-activeLine": { backgroundColor: "color-mix(in srgb, var(--accent) 7%, transparent)" },
  "&.cm-focused": { outline: "2px solid var(--accent)", outlineOffset: "-2px" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-selectionBackground, &.cm-focused .cm-selectionBackground": {
    backgroundColor: "color-mix(in srgb, var(--accent) 25%, transparent)",
  },
  ".cm-matchingBracket": { backgroundColor: "var(--accent-fill)", outline: "1px solid var(--accent)" },
});

const highlight = HighlightStyle.define([
  colour(tags.comment, "var(--muted)", { fontStyle: "italic" }),
  colour([tags.keyword, tags.operatorKeyword, tags.modifier], "var(--accent)"),
  colour([tags.string, tags.special(tags.string)], "var(--fwd)"),
  colour([tags.number, tags.bool, tags.null], "var(--grad)"),
  colour([tags.typeName, tags.className], "var(--local)"),
]);

/**
 * Puts an editor into an element. It lives in a shadow root of its own: there its styles are style sheets made by script, which the page's policy
 * allows, and not style elements, which it refuses.
 * @param label what a screen reader calls it
 * @param changed called with the whole text after each change by the reader
 * @param run called by Ctrl+Enter
 */
export function openEditor(parent: HTMLElement, text: string, label: string, changed: (text: string) => void, run: () => void): Editor {
  const root = parent.shadowRoot ?? parent.attachShadow({ mode: "open" });
  let quiet = false;
  // Text that is edited can have the focus anyway; named as a stop, tools that check pages know it too.
  const attributes = (name: string): Extension =>
    EditorView.contentAttributes.of({ "aria-label": name, spellcheck: "false", tabindex: "0" });
  const named = new Compartment();
  const view = new EditorView({
    root,
    parent: root,
    state: EditorState.create({
      doc: text,
      extensions: [
        lineNumbers(),
        history(),
        drawSelection(),
        indentOnInput(),
        bracketMatching(),
        highlightActiveLine(),
        javascript({ typescript: true }),
        syntaxHighlighting(highlight),
        look,
        EditorView.lineWrapping,
        named.of(attributes(label)),
        keymap.of([
          {
            key: "Mod-Enter",
            run: (editor) => {
              // The key that ends a Hangul syllable is no command.
              if (!editor.composing) run();
              return true;
            },
          },
          ...historyKeymap,
          ...defaultKeymap,
        ]),
        EditorView.updateListener.of((update) => {
          if (update.docChanged && !quiet) changed(update.state.doc.toString());
        }),
      ],
    }),
  });
  return {
    set: (given) => {
      if (given === view.state.doc.toString()) return;
      quiet = true;
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: given } });
      quiet = false;
    },
    goTo: (line) => {
      const { from } = view.state.doc.line(Math.max(1, Math.min(line, view.state.doc.lines)));
      view.dispatch({ selection: { anchor: from }, scrollIntoView: true });
      view.focus();
    },
    name: (given) => view.dispatch({ effects: named.reconfigure(attributes(given)) }),
    destroy: () => view.destroy(),
  };
}
