import { explain, picture } from "../../src/index.ts";
import type { GalleryProgram } from "./programs.ts";

/** What the gallery keeps of a program: its steps as text, and its pictures. */
export interface GalleryFiles {
  readonly text: string;
  readonly svg: string;
  /** The picture at the step that the program names. */
  readonly step?: string;
}

/** The files of one program, made anew. */
export function galleryFiles({ make, picture: options, backwardStep, title }: GalleryProgram): GalleryFiles {
  const f = make();
  const drawn = picture(f, { title, ...options });
  const step = backwardStep === undefined ? undefined : drawn.svg(drawn.forwardSteps + backwardStep);
  return { text: explain(f).text(), svg: drawn.svg(), ...(step !== undefined && { step }) };
}

/** `docs/gallery.md`. */
export function galleryPage(programs: readonly GalleryProgram[], texts: ReadonlyMap<string, string>): string {
  const lines = [
    "# Gallery",
    "",
    "Small programs, their pictures and their steps. Values stand above the wires, gradients below; a dotted wire is a dead path. The page, its pictures",
    "(`docs/gallery/`) and its texts are made by `npm run docs` from `test/gallery/programs.ts`, and a test holds them to what the library draws now.",
    "",
    ...programs.map(({ name, title }) => `- [${title}](#${name})`),
    "",
  ];
  for (const { name, title, about, backwardStep } of programs) {
    lines.push(`<a id="${name}"></a>`, "", `## ${title}`, "", about, "", `![${title}](gallery/${name}.svg)`, "");
    if (backwardStep !== undefined)
      lines.push(`Step ${backwardStep} of the way back:`, "", `![${title}, a step](gallery/${name}-step.svg)`, "");
    lines.push("<details><summary>Every step</summary>", "", "```", texts.get(name)!.trimEnd(), "```", "", "</details>", "");
  }
  return lines.join("\n");
}
