import type { Page } from "../browser/launch.ts";

type Dictionary = Readonly<Record<string, unknown>>;

/** A dictionary of the studio; by a path that types do not follow, because they would ask the studio's files for types in every export. */
async function dictionary(path: string, language: "en" | "ko"): Promise<Dictionary> {
  const file: string = `../../studio/${path}${language}.ts`;
  return ((await import(file)) as Record<string, Dictionary>)[language]!;
}

/** Words of a dictionary that are not the same in Korean. */
export async function englishOf(...paths: readonly string[]): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (const path of paths) {
    const [en, ko] = [await dictionary(path, "en"), await dictionary(path, "ko")];
    for (const [key, word] of Object.entries(en)) if (typeof word === "string" && word !== ko[key]) found.add(word);
  }
  return found;
}

/** Every text and name on the page: of elements, labels and titles. */
export function textsOf(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll("body *")].flatMap((element) =>
      [
        ...[...element.childNodes].filter((node) => node.nodeType === 3).map((node) => node.textContent ?? ""),
        ...["aria-label", "title", "placeholder"].map((name) => element.getAttribute(name) ?? ""),
      ]
        .map((text) => text.trim())
        .filter((text) => text !== ""),
    ),
  );
}
