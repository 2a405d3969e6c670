import { describe, expect, it } from "vitest";
import { layoutScene } from "../../src/draw/layout/layout-scene.ts";
import { englishWords } from "../../src/draw/picture-words.ts";
import type { Scene } from "../../src/draw/scene.ts";
import { renderSvg, type SvgOptions } from "../../src/draw/svg.ts";
import { palettes } from "../../src/draw/theme.ts";
import { fanOut, hinge, lectureExample, sigmoidNeuron, tensorNetwork } from "./scenes.ts";

const draw = (scene: Scene, options: SvgOptions = {}): string => renderSvg(scene, layoutScene(scene), options);
/** The group of a wire, up to its end; wires hold no other named group. */
const wireGroup = (svg: string, index: number): string => svg.split("\n").find((line) => line.includes(`data-wire="${index}"`))!;
const itemGroup = (svg: string, index: number): string => svg.split("\n").find((line) => line.includes(`data-item="${index}"`))!;

/** A strict reader of the XML we write: elements that nest, quoted attributes, known entities. Returns the text of the document. */
function readXml(text: string): { elements: Set<string>; attributes: Set<string>; text: string } {
  const elements = new Set<string>();
  const attributes = new Set<string>();
  const open: string[] = [];
  let content = "";
  let at = 0;
  const entities = (raw: string): string => {
    expect(raw.replace(/&(amp|lt|gt|quot|#39);/g, "")).not.toMatch(/[&<]/);
    return raw.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&#39;", "'").replaceAll("&amp;", "&");
  };
  const tag = /<(\/?)([a-z]+)((?: [a-zA-Z-]+="[^"<]*")*)(\/?)>/gy;
  while (at < text.length) {
    const next = text.indexOf("<", at);
    content += entities(text.slice(at, next < 0 ? text.length : next));
    if (next < 0) break;
    tag.lastIndex = next;
    const match = tag.exec(text);
    if (match === null) throw new Error(`not XML at: ${text.slice(next, next + 80)}`);
    const [all, close, name, list, empty] = match;
    elements.add(name!);
    for (const [, key, value] of list!.matchAll(/ ([a-zA-Z-]+)="([^"]*)"/g)) {
      attributes.add(key!);
      entities(value!);
    }
    if (close) expect(open.pop()).toBe(name);
    else if (!empty) open.push(name!);
    at = next + all!.length;
  }
  expect(open).toEqual([]);
  return { elements, attributes, text: content };
}

/** The characters of XML 1.0, section 2.2. */
function isXmlCharacter(character: string): boolean {
  const code = character.codePointAt(0)!;
  if (code < 0x20) return code === 9 || code === 10 || code === 13;
  return code < 0xd800 || (code > 0xdfff && code < 0xfffe) || code > 0xffff;
}

describe("renderSvg", () => {
  it("writes the lecture's first example: values above, gradients below", () => {
    const scene = lectureExample();
    const layout = layoutScene(scene);
    const svg = renderSvg(scene, layout);
    const wire = scene.wires.findIndex(({ from, to }) => from === "g3" && to === "g4");
    const { slot } = layout.wires[wire]!;
    expect(wireGroup(svg, wire)).toContain(`<text class="cr-value" x="${slot.x}" y="${slot.y - 6}">3.00</text>`);
    expect(wireGroup(svg, wire)).toContain(`<text class="cr-gradient" x="${slot.x}" y="${slot.y + 15}">−4.00</text>`);
  });

  it("is XML that holds no script, no link and no other file", () => {
    for (const scene of [lectureExample(), sigmoidNeuron(true), fanOut(), tensorNetwork()]) {
      const { elements, attributes } = readXml(draw(scene));
      expect(
        [...elements].sort().filter((name) => !["circle", "desc", "g", "path", "rect", "style", "svg", "text", "title"].includes(name)),
      ).toEqual([]);
      expect([...attributes].filter((name) => name.startsWith("on") || name.includes("href") || name === "id")).toEqual([]);
    }
  });

  it("gives the same text twice", () => {
    expect(draw(sigmoidNeuron(true))).toBe(draw(sigmoidNeuron(true)));
  });

  it("tells a screen reader what it shows", () => {
    const scene = sigmoidNeuron(true);
    const svg = draw({ ...scene, description: "one neuron" });
    expect(svg).toMatch(
      /^<svg [^>]*role="graphics-document" aria-label="a sigmoid neuron" lang="en">\n<title>a sigmoid neuron<\/title>\n<desc>one neuron<\/desc>/,
    );
    expect(draw(scene)).toContain(`<desc>${englishWords.description}</desc>`);
    const wire = scene.wires.findIndex(
      ({ from, flow }) => scene.items.find(({ id }) => id === from)!.label === "w₁" && flow === "downstream",
    );
    expect(wireGroup(svg, wire)).toContain(
      'role="graphics-symbol" aria-label="w₁ to ×: value −3.00, gradient −0.39, local gradient −2.00"',
    );
    expect(svg.match(/role="graphics-symbol"/g)!.length).toBe(scene.items.length + scene.wires.length);
  });

  it("marks the active step: ring, thick upstream, dashed downstream with arrow, local gradients, larger numbers", () => {
    const scene = sigmoidNeuron(true);
    const svg = draw(scene);
    expect(
      itemGroup(
        svg,
        scene.items.findIndex(({ id }) => id === scene.active),
      ),
    ).toContain('class="cr-item cr-op cr-active"');
    const down = scene.wires.flatMap(({ flow }, i) => (flow === "downstream" ? [wireGroup(svg, i)] : []));
    expect(down.length).toBe(2);
    for (const group of down) {
      expect(group).toContain("cr-downstream");
      expect(group).toContain('class="cr-arrow"');
      expect(group).toMatch(/cr-gradient cr-fresh" [^>]*>−0\.(39|59)</);
      expect(group).toMatch(/class="cr-chip">.*∂ = −[23]\.00/);
    }
    const up = scene.wires.findIndex(({ flow }) => flow === "upstream");
    expect(wireGroup(svg, up)).toContain('class="cr-wire cr-upstream"');
    expect(wireGroup(svg, up)).not.toContain("cr-arrow");
    expect(draw(sigmoidNeuron(false))).not.toContain('cr-active"');
  });

  it("has a sign of its own for each state of a gradient", () => {
    const scene = sigmoidNeuron(true);
    const pending = scene.wires.findIndex(({ gradient }) => gradient === "not yet");
    expect(wireGroup(draw(scene), pending)).toMatch(/<text class="cr-quiet cr-not-yet"[^>]*>·<\/text>/);
    const gates = hinge();
    const svg = draw(gates);
    const zero = gates.wires.findIndex(({ gradient }) => gradient === "zero");
    expect(wireGroup(svg, zero)).toMatch(/^<g class="cr-wire cr-zero".*<text class="cr-gradient"[^>]*>0<\/text>/);
    const none = gates.wires.findIndex(({ gradient }) => gradient === "none");
    expect(wireGroup(svg, none)).toMatch(/<text class="cr-quiet"[^>]*>no grad<\/text>/);
  });

  it("shows the sum of a fan-out on its trunk, with a dot where it parts", () => {
    const svg = draw(fanOut());
    const trunk = svg.split("\n").find((line) => line.includes("cr-trunk"))!;
    expect(trunk).toContain(">7.00</text>");
    expect(trunk).toContain(">Σ 3</text>");
    expect(svg.match(/class="cr-dot"/g)!.length).toBe(2);
    expect(svg.lastIndexOf("cr-wire ")).toBeLessThan(svg.indexOf('class="cr-dot"'));
    expect(trunk).toContain('aria-label="x, sum over branches: value 3.00, gradient 7.00"');
    const scene = fanOut();
    expect(draw({ ...scene, trunks: [{ ...scene.trunks![0]!, active: true }] })).toContain('class="cr-sum cr-active"');
  });

  it("draws tensors thicker, broadcasts dotted, histograms beside the texts", () => {
    const scene = tensorNetwork();
    const svg = draw(scene);
    const broadcast = scene.wires.findIndex((wire) => wire.broadcast);
    expect(wireGroup(svg, broadcast)).toContain('class="cr-wire cr-tensor cr-broadcast"');
    expect(wireGroup(svg, broadcast)).toContain('class="cr-value-bars"');
    expect(itemGroup(svg, 0)).toContain('<text class="cr-shape"');
    const odd = { ...scene, wires: scene.wires.map((wire) => ({ ...wire, aboveBars: [Number.NaN, -1, 7, 0.5] })) };
    expect(draw(odd)).not.toContain("NaN");
  });

  it("carries every theme as CSS variables, with the plain colours for readers without them", () => {
    for (const theme of ["light", "dark", "colour-blind", "colour-blind dark"] as const) {
      const svg = draw(sigmoidNeuron(true, theme));
      expect(svg).toContain(`--fwd:${palettes[theme].fwd}`);
      expect(svg).toContain(`fill:${palettes[theme].grad};fill:var(--grad)`);
    }
  });

  it("speaks the reader's language", () => {
    const words = { ...englishWords, value: "값", gradient: "기울기", noGradient: "기울기 없음" };
    const svg = draw(hinge(), { words, language: "ko" });
    expect(svg).toContain('lang="ko"');
    expect(svg).toContain("값 2.00, 기울기 없음");
    expect(svg).toContain(">기울기 없음</text>");
    expect(svg).not.toContain("no grad");
  });

  it("leaves the background out when asked", () => {
    expect(draw(fanOut())).toContain('<rect class="cr-paper"');
    expect(draw(fanOut(), { background: "none" })).not.toContain('<rect class="cr-paper"');
  });
});

describe("renderSvg on hostile text", () => {
  const names = [
    "<script>alert(1)</script>",
    `"onload='x' & <b>`,
    "]]><!--",
    "x".repeat(300),
    "손실 함수의 기울기를 구하는 아주 긴 이름",
    "👨‍👩‍👧‍👦😀",
    "\u0000\u0008\u001f\ud800\uffff",
    "</title></svg>",
    "\u202egnol",
  ];

  it("escapes every text, keeps the whole of a cut one in the tooltip, and stays XML", () => {
    for (const name of names) {
      const base = tensorNetwork();
      const scene: Scene = {
        ...base,
        title: name,
        description: name,
        items: base.items.map((item) => ({
          ...item,
          id: `${item.id}${name}`,
          label: name,
          title: name,
          ...(item.shape ? { shape: name } : {}),
        })),
        wires: base.wires.map((wire) => ({
          ...wire,
          from: wire.from + name,
          to: wire.to + name,
          above: name,
          below: name,
          localGradient: name,
        })),
        trunks: base.trunks!.map((trunk) => ({ ...trunk, from: trunk.from + name, above: name, below: name })),
        active: `m1${name}`,
      };
      const words = Object.fromEntries(Object.keys(englishWords).map((key) => [key, name])) as unknown as typeof englishWords;
      const svg = draw(scene, { words, language: name });
      const { elements, text } = readXml(svg);
      expect([...elements].sort()).toEqual(["circle", "desc", "g", "path", "rect", "style", "svg", "text", "title"]);
      expect(text).toContain([...name].map((character) => (isXmlCharacter(character) ? character : "\ufffd")).join(""));
      expect([...svg].every(isXmlCharacter)).toBe(true);
    }
  });

  it("cuts a long label to its box", () => {
    const scene = lectureExample();
    const long = { ...scene, items: scene.items.map((item) => ({ ...item, label: "x".repeat(300), title: "y".repeat(300) })) };
    const layout = layoutScene(long);
    for (const { body } of layout.items) expect(body.width).toBeLessThanOrEqual(240);
    const group = itemGroup(renderSvg(long, layout), 0);
    expect(group).toContain("y".repeat(300));
    expect(group).not.toContain("x".repeat(100));
    expect(group).toMatch(/>x+…<\/text>/);
  });
});

describe("palettes", () => {
  const luminance = (hex: string): number => {
    const [r, g, b] = [1, 3, 5]
      .map((i) => Number.parseInt(hex.slice(i, i + 2), 16) / 255)
      .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
  };
  const contrast = (a: string, b: string): number => {
    const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (high! + 0.05) / (low! + 0.05);
  };
  it.each(Object.entries(palettes))("%s is readable: text 4.5 to 1, lines and outlines 3 to 1", (_, p) => {
    for (const text of [p.ink, p.muted, p.fwd, p.grad, p.local]) expect(contrast(text, p.paper)).toBeGreaterThanOrEqual(4.5);
    for (const fill of [p.op, p.parameter, p.input, p["accent-fill"]]) expect(contrast(p.ink, fill)).toBeGreaterThanOrEqual(4.5);
    for (const fill of [p.parameter, p.input]) expect(contrast(p.muted, fill)).toBeGreaterThanOrEqual(4.5);
    expect(contrast(p.local, p["local-fill"])).toBeGreaterThanOrEqual(4.5);
    for (const line of [p.wire, p["wire-tensor"], p.accent, p["parameter-line"], p["input-line"]])
      expect(contrast(line, p.paper)).toBeGreaterThanOrEqual(3);
  });
});
