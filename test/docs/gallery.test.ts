// The gallery's page and pictures are what the library makes now. With CHAINRULE_DOCS=write (`npm run docs`) they are written anew.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { picture } from "../../src/index.ts";
import { faults } from "../draw/geometry.ts";
import { galleryFiles, galleryPage } from "../gallery/gallery-page.ts";
import { gallery } from "../gallery/programs.ts";
import { root, writing } from "./world.ts";

const folder = `${root}docs/gallery/`;
const texts = new Map<string, string>();

describe("the gallery", () => {
  test.each(gallery.map((program) => [program.name, program] as const))("%s is drawn as kept, twice the same", (name, program) => {
    const made = galleryFiles(program);
    expect(galleryFiles(program)).toEqual(made);
    texts.set(name, made.text);
    const files = new Map([[`${name}.svg`, made.svg], ...(made.step === undefined ? [] : [[`${name}-step.svg`, made.step] as const])]);
    for (const [file, text] of files) {
      if (writing) {
        mkdirSync(folder, { recursive: true });
        writeFileSync(folder + file, text);
      }
      expect(readFileSync(folder + file, "utf8") === text, `docs/gallery/${file} is old: run npm run docs`).toBe(true);
    }
  });

  test("docs/gallery.md holds their steps", () => {
    const page = galleryPage(gallery, texts);
    if (writing) writeFileSync(`${root}docs/gallery.md`, page);
    expect(readFileSync(`${root}docs/gallery.md`, "utf8") === page, "docs/gallery.md is old: run npm run docs").toBe(true);
  });

  test("has about thirty programs, each with a name of its own, and no picture besides", () => {
    expect(gallery.length).toBeGreaterThanOrEqual(30);
    expect(new Set(gallery.map(({ name }) => name)).size).toBe(gallery.length);
    const known = new Set(
      gallery.flatMap(({ name, backwardStep }) => [`${name}.svg`, ...(backwardStep === undefined ? [] : [`${name}-step.svg`])]),
    );
    expect(readdirSync(folder).filter((file) => !known.has(file))).toEqual([]);
  });

  test.each(gallery.map((program) => [program.name, program] as const))(
    "%s keeps the laws of a picture, both ways, open and closed",
    (_, program) => {
      const f = program.make();
      for (const direction of ["right", "down"] as const)
        for (const depth of [0, "all"] as const) {
          const { layout, scene } = picture(f, { direction, depth });
          expect(faults(scene(), layout)).toEqual([]);
        }
    },
  );
});
