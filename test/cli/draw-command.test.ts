import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { pngOf } from "../../src/cli/png.ts";
import { writeGraph } from "../../src/data.ts";
import { add, f32, f64, type Graph, graph, mul, type Value } from "../../src/index.ts";
import { runCli } from "./run-cli.ts";

const folder = mkdtempSync(join(tmpdir(), "draw-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string): string => join(folder, name);
const lecture = ["(x + y) * z", "x=-2", "y=5", "z=-4"];

/** Width and height of a PNG, from its header. */
function sizeOfPng(bytes: Uint8Array): [number, number] {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return [view.getUint32(16), view.getUint32(20)];
}

test("the extension or --format says what is written, and the file is whole", async () => {
  expect((await runCli(["draw", ...lecture, "-o", file("a.svg")])).out).toBe(`wrote ${file("a.svg")}\n`);
  const svg = readFileSync(file("a.svg"), "utf8");
  expect(svg).toContain("−12.00");
  expect((await runCli(["draw", ...lecture, "-o", file("a.picture"), "--format", "svg"])).code).toBe(0);
  expect(readFileSync(file("a.picture"), "utf8")).toBe(svg);
  expect((await runCli(["draw", ...lecture])).out).toBe(svg);
  expect(JSON.parse((await runCli(["draw", ...lecture, "-o", file("b.svg"), "--json"])).out)).toEqual({
    expression: "(x + y) * z",
    format: "svg",
    file: file("b.svg"),
  });
});

test("Graphviz, Mermaid and box characters, by extension or name", async () => {
  for (const [name, format, start] of [
    ["a.dot", "dot", "digraph"],
    ["a.gv", "dot", "digraph"],
    ["a.mmd", "mermaid", "flowchart"],
    ["a.txt", "text", ""],
  ] as const) {
    expect((await runCli(["draw", ...lecture, "-o", file(name), "--lang", "ko"])).code).toBe(0);
    const text = readFileSync(file(name), "utf8");
    expect(text).toContain(start);
    expect((await runCli(["draw", ...lecture, "--format", format, "--lang", "ko"])).out).toBe(text);
  }
});

test("--step shows the picture on the way, --direction turns it, --lang ko speaks in it", async () => {
  const at = (...words: string[]): Promise<string> => runCli(["draw", ...lecture, ...words]).then((ran) => ran.out);
  expect(await at("--step", "0")).not.toContain('<text class="cr-gradient');
  expect(await at("--step", "4")).toMatch(/<g class="cr-item [^"]*cr-active/);
  expect(await at("--direction", "down")).not.toBe(await at());
  expect(await at("--lang", "ko")).toContain('lang="ko"');
  expect(await at("--depth", "all")).toBe(await at());
});

test("a PNG has twice the picture's pixels and is not one colour", async () => {
  const { code, err } = await runCli(["draw", ...lecture, "-o", file("a.png"), "--theme", "dark"]);
  expect([code, err]).toEqual([0, ""]);
  const png = readFileSync(file("a.png"));
  const svg = (await runCli(["draw", ...lecture])).out;
  const [, width, height] = /width="(\d+)" height="(\d+)"/.exec(svg)!;
  expect([...png.subarray(0, 8)]).toEqual([137, 80, 78, 71, 13, 10, 26, 10]);
  expect(sizeOfPng(png)).toEqual([2 * Number(width), 2 * Number(height)]);
  expect(png.length).toBeGreaterThan(8000); // one colour packs into less than a tenth of that
});

test("a page to step through, by its extension or --html", async () => {
  expect((await runCli(["draw", ...lecture, "-o", file("a.html"), "--lang", "ko"])).code).toBe(0);
  const html = readFileSync(file("a.html"), "utf8");
  expect(html).toContain('<html lang="ko">');
  expect((await runCli(["draw", ...lecture, "--html", "--lang", "ko"])).out).toBe(html);
});

test("without its package PNG says what to install", async () => {
  await expect(pngOf("<svg/>", () => Promise.reject(new Error("no package")))).rejects.toThrow("npm install @resvg/resvg-js");
});

test("a graph file is drawn with its shapes, or with numbers where its inputs have values", async () => {
  const g = graph({ x: f32(2), w: f64() }, ({ x, w }) => ({ loss: mul(w, 2), out: add(x, 1) }));
  await writeGraph(file("g.graph"), g as unknown as Graph<never, unknown>);
  const shapes = await runCli(["draw", file("g.graph")]);
  expect([shapes.code, shapes.err]).toEqual([0, ""]);
  expect(shapes.out).toContain(">loss<");
  expect((await runCli(["draw", file("g.graph"), "-o", file("g.html")])).err).toContain("a page walks through numbers; give the inputs of");
  const numbers = await runCli(["draw", file("g.graph"), "x=[1,2]", "w=3"]);
  expect(numbers.out).toContain("6.00");
  for (const [words, message] of [
    [["x=[1,2]"], "w has no value; give w=... (f64[])"],
    [["x=[1,2,3]", "w=1"], "input x is f32[2]; f64[3] was given"],
    [["x=[1,2]", "w=1", "ww=2"], "has no input ww; did you mean w?"],
    [["x=[1,2]", "w=1", "other=2"], "has no input other; it has x, w"],
  ] as const)
    expect((await runCli(["draw", file("g.graph"), ...words])).err).toContain(message);
  const vector = graph({ x: f64(2) }, ({ x }: { x: Value }) => ({ out: x }));
  await writeGraph(file("v.graph"), vector as unknown as Graph<never, unknown>);
  expect((await runCli(["draw", file("v.graph"), "x=[1,2]"])).err).toContain(
    "a gradient starts at one floating-point number; the outputs are out: f64[2]",
  );
});

test.each([
  [["-o", "x.gif"], "x.gif: .gif is no format of draw; there are svg, png, html, dot, mermaid, text"],
  [["--depth", "deep"], "--depth deep is no number; write --depth 1 or --depth all"],
  [["--step", "-1"], "--step -1 is no number"],
  [["--step", "99"], "99"],
  [["--html", "--step", "2"], "a page has all of the steps; leave out --step"],
  [["--direction", "up"], "--direction up is not there; right and down are"],
  [["-o", "x"], "x has no extension; there are svg"],
  [["--format", "bmp"], "--format bmp is not there; there are svg"],
  [["--format", "png"], "a PNG is no text for a terminal; name a file: -o picture.png"],
  [["-o", "/none/there/x.svg"], "there is no such file or folder"],
  [["-o", "/proc/x.png"], "cannot write /proc/x.png"],
  [["--html", "--format", "svg"], "--html and --format do not go together"],
  [["--lang", "fr"], "--lang fr is not there"],
  [["--theme", "drak"], "did you mean dark?"],
] as const)("%j is one clear error", async (words, message) => {
  const { code, out, err } = await runCli(["draw", ...lecture, ...words]);
  expect([code, out]).toEqual([2, ""]);
  expect(err).toContain(message);
  expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
});
