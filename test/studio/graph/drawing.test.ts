import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Drawing, drawingsIn, elementOf, redraw } from "../../../studio/graph/drawing.ts";
import * as engine from "../../../studio/graph/engine.ts";
import { examples } from "../../../studio/graph/examples.ts";

/** As much of a document as drawing needs. */
class FakeNode {
  parent: FakeElement | null = null;
  get nextSibling(): FakeNode | null {
    const list = this.parent!.childNodes;
    return list[list.indexOf(this) + 1] ?? null;
  }
  remove(): void {
    this.parent!.childNodes.splice(this.parent!.childNodes.indexOf(this), 1);
    this.parent = null;
  }
}

class FakeText extends FakeNode {
  nodeValue: string;
  constructor(text: string) {
    super();
    this.nodeValue = text;
  }
}

class FakeElement extends FakeNode {
  readonly name: string;
  readonly attributes = new Map<string, string>();
  readonly childNodes: FakeNode[] = [];
  constructor(name: string) {
    super();
    this.name = name;
  }
  get firstChild(): FakeNode | null {
    return this.childNodes[0] ?? null;
  }
  setAttribute(name: string, value: string): void {
    this.attributes.set(name, value);
  }
  removeAttribute(name: string): void {
    this.attributes.delete(name);
  }
  append(child: FakeNode | string): void {
    this.insertBefore(typeof child === "string" ? new FakeText(child) : child, null);
  }
  insertBefore(child: FakeNode, before: FakeNode | null): void {
    child.parent = this;
    this.childNodes.splice(before === null ? this.childNodes.length : this.childNodes.indexOf(before), 0, child);
  }
}

beforeAll(() => {
  vi.stubGlobal("document", {
    createElementNS: (_: string, name: string) => new FakeElement(name),
    createTextNode: (text: string) => new FakeText(text),
  });
});
afterAll(() => {
  vi.unstubAllGlobals();
});

const draw = (text: string): FakeElement => elementOf(drawingsIn(text)[0]!) as unknown as FakeElement;

function look(node: FakeNode): unknown {
  if (node instanceof FakeText) return node.nodeValue;
  const { name, attributes, childNodes } = node as FakeElement;
  return { name, attributes: Object.fromEntries([...attributes].sort()), children: childNodes.map(look) };
}

describe("drawings", () => {
  test("are read with their texts unescaped and their elements within each other", () => {
    const [first, second, ...more] = drawingsIn(
      `<g class="a" aria-label="x &lt; &quot;y&quot; > z"><title>&amp;lt; it&#39;s</title><path d="M1 2"/></g><circle r="3"/>`,
    ) as Drawing[];
    expect(more).toEqual([]);
    expect(first).toMatchObject({
      name: "g",
      children: [
        { name: "title", children: ["&lt; it's"] },
        { name: "path", attributes: ` d="M1 2"` },
      ],
    });
    expect(second).toEqual({ name: "circle", attributes: ` r="3"`, children: [] });
    expect(Object.fromEntries(draw(`<g aria-label="x &lt; &quot;y&quot; > z"></g>`).attributes)).toEqual({ "aria-label": 'x < "y" > z' });
  });

  test("change into each other where they differ, and keep what the page has set beside them", () => {
    const before = `<g class="cr-wire"><title>a</title><path class="cr-line" d="M0 0"/><text class="cr-quiet" x="1">·</text></g>`;
    const now = `<g class="cr-wire cr-downstream"><title>b</title><path class="cr-line" d="M0 0"/><path class="cr-arrow" d="M1 1"/><text class="cr-gradient" x="1">2</text><g class="cr-chip"><text>3</text></g></g>`;
    const element = draw(before);
    element.setAttribute("tabindex", "0");
    const [title, line, gradient] = element.childNodes;
    redraw(element as unknown as Element, drawingsIn(before)[0]!, drawingsIn(now)[0]!);
    expect([...element.attributes]).toEqual([
      ["class", "cr-wire cr-downstream"],
      ["tabindex", "0"],
    ]);
    expect([element.childNodes[0], element.childNodes[1], element.childNodes[3]]).toEqual([title, line, gradient]);
    element.removeAttribute("tabindex");
    expect(look(element)).toEqual(look(draw(now)));
    redraw(element as unknown as Element, drawingsIn(now)[0]!, drawingsIn(before)[0]!);
    expect(look(element)).toEqual(look(draw(before)));
  });

  test("of a picture become, at each step there and back, what they would be if they were made anew", () => {
    for (const { id, formula, values } of examples) {
      if (!["sigmoid", "branches", "norm"].includes(id)) continue;
      const read = engine.read(formula);
      if (engine.isFault(read)) throw new Error(read.message);
      const options = { language: "en", depth: null, open: [], closed: [], near: null, reach: "feeds", direction: "right" } as const;
      const made = engine.build(read, values, options, null);
      if (engine.isFault(made)) throw new Error(made.message);
      const { picture } = made;
      const textsAt = (t: number): string[] => {
        const scene = picture.scene(t);
        const parts = picture.parts(scene);
        return [
          ...scene.items.map((_, i) => parts.item(i)),
          ...scene.wires.map((_, i) => parts.wire(i)),
          ...picture.layout.trunks.map((_, i) => parts.trunk(i)),
        ];
      };
      let texts = textsAt(0);
      const elements = texts.map(draw);
      const count = picture.steps.length;
      const there = Array.from({ length: count }, (_, t) => t + 1);
      for (const t of [...there, ...there.toReversed().map((n) => n - 1), count, 0]) {
        const now = textsAt(t);
        now.forEach((text, i) => {
          if (text === texts[i]) return;
          redraw(elements[i] as unknown as Element, drawingsIn(texts[i]!)[0]!, drawingsIn(text)[0]!);
          expect(JSON.stringify(look(elements[i]!))).toBe(JSON.stringify(look(draw(text))));
        });
        texts = now;
      }
    }
  });
});
