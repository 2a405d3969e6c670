import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { examples } from "../../studio/code/examples.ts";
import type { Page } from "../browser/launch.ts";
import { openStudio, type Studio } from "./open-studio.ts";

let studio: Studio | null;
let page: Page;
let faults: string[];

beforeAll(async () => {
  studio = await openStudio();
  if (studio === null) return;
  ({ page, faults } = await studio.visit());
  await page.click("#tab-code");
  await page.waitForSelector("#code-run");
});

afterAll(() => studio?.close());

/** Clicks Run and waits until that run is over; gives what it said. */
async function runs(started?: () => Promise<void>): Promise<string[]> {
  const before = Number(await page.evaluate(() => document.querySelector<HTMLElement>("#code-lines")!.dataset["turn"]));
  await page.click("#code-run");
  await started?.();
  await page.waitForFunction((turn) => {
    const { dataset, ariaBusy } = document.querySelector<HTMLElement>("#code-lines")!;
    return Number(dataset["turn"]) > turn && ariaBusy === "false";
  }, before);
  return page.evaluate(() => Array.from(document.querySelectorAll("#code-lines > *"), (line) => line.textContent ?? ""));
}

/** Puts a program into the editor as if it was typed, runs it to its end, and gives what it said. */
async function say(source: string, started?: () => Promise<void>): Promise<string[]> {
  await page.evaluate(() => document.querySelector(".code-editor")!.shadowRoot!.querySelector<HTMLElement>(".cm-content")!.focus());
  await page.keyboard.press("Control+a");
  await page.keyboard.insertText(source);
  return runs(started);
}

describe("the Code tab", () => {
  test.each(examples.map(({ name }) => name))("runs the example %s", async (name) => {
    if (studio === null) return;
    await page.selectOption("#code-example", name);
    const lines = await runs();
    expect(lines.at(-1)).toBe("Done.");
    if (name === "lecture") expect(lines).toEqual(["f = -12", "df/dx = -4  df/dy = -4  df/dz = 3", "Done."]);
    if (name === "moons") expect(Number(/loss ([\d.]+)/.exec(lines.at(-2)!)![1])).toBeLessThan(0.05);
    if (name !== "lecture" && name !== "neuron" && name !== "ownGate") return;
    await page.waitForFunction(() => document.querySelector<HTMLImageElement>(".code-pictures img")?.naturalWidth);
  });

  test("says the line of what goes wrong, in the program's text and while it runs", async () => {
    if (studio === null) return;
    expect((await say("const a = 1;\nconst b = ;\n"))[0]).toMatch(/^line 2: /);
    expect((await say('import { matmul, tensor } from "chainrule";\n\nmatmul(tensor([[1, 2]]), tensor([[1, 2]]));\n')).at(-1)).toMatch(
      /^line 3: ShapeError: matmul/,
    );
    expect((await say('import fs from "node:fs";\nfs.rmSync("/");')).at(-1)).toContain(
      '"node:fs" cannot be imported here; there are chainrule, ',
    );
  });

  test("says what a module does not have, and what it has instead", async () => {
    if (studio === null) return;
    const said = await say('import { binaryCrossEntropyWithLogits } from "chainrule";\nbinaryCrossEntropyWithLogits(1, 1);\n');
    expect(said.at(-1)).toBe('line 2: TypeError: "chainrule" has no "binaryCrossEntropyWithLogits"; there is binaryCrossEntropy');
  });

  test("lets a program reach nothing outside", async () => {
    if (studio === null) return;
    const attempts = [
      ["fetch", `await fetch(${JSON.stringify(studio.url)})`],
      ["fetch elsewhere", 'await fetch("https://example.com/")'],
      [
        "WebSocket",
        `await new Promise((yes, no) => { const s = new WebSocket(${JSON.stringify(studio.url.replace("http", "ws"))}); s.onopen = yes; s.onerror = () => no(new Error("closed")); })`,
      ],
      ["importScripts", `importScripts(${JSON.stringify(`${studio.url}sw.js`)})`],
      ["import", `await import(${JSON.stringify(`${studio.url}sw.js`)})`],
      ["XMLHttpRequest", `const r = new XMLHttpRequest(); r.open("GET", ${JSON.stringify(studio.url)}, false); r.send()`],
      [
        "EventSource",
        `await new Promise((yes, no) => { const s = new EventSource(${JSON.stringify(studio.url)}); s.onopen = yes; s.onerror = () => no(new Error("closed")); })`,
      ],
      ["the parent", "parent.document.title"],
      ["the document", "document.title"],
      ["storage", "localStorage.length"],
      [
        "IndexedDB",
        'await new Promise((yes, no) => { const r = indexedDB.open("x"); r.onsuccess = yes; r.onerror = () => no(new Error("denied")); })',
      ],
      ["eval", 'eval("1 + 1")'],
      ["Function", 'new Function("return 1")()'],
      [
        "a worker of the page's files",
        `await new Promise((yes, no) => { const w = new Worker(${JSON.stringify(`${studio.url}sw.js`)}); w.onerror = () => no(new Error("blocked")); setTimeout(yes, 3000); })`,
      ],
      [
        "a worker that fetches",
        `await new Promise((yes, no) => { const w = new Worker(URL.createObjectURL(new Blob(["fetch('${studio.url}').then(() => postMessage(1), () => postMessage(0))"]))); w.onmessage = ({ data }) => data ? yes() : no(new Error("blocked")); w.onerror = () => no(new Error("blocked")); })`,
      ],
    ] as const;
    const source = attempts
      .map(
        ([name, code]) =>
          `try { ${code}; console.log(${JSON.stringify(name)}, "succeeded"); } catch (error) { console.log(${JSON.stringify(name)}, "failed"); }`,
      )
      .join("\n");
    faults.length = 0;
    const said = await say(source);
    expect(said).toEqual([...attempts.map(([name]) => `${name} failed`), "Done."]);
    // The browser reports on its console what it refused; nothing left this machine.
    expect(faults.filter((fault) => fault.startsWith("request:") && !fault.includes(studio!.url))).toEqual([]);
    faults.length = 0;
  });

  test("would see a program that does reach something", async () => {
    if (studio === null) return;
    expect(await say('try { Object.keys({}).length; console.log("x", "succeeded"); } catch { console.log("x", "failed"); }')).toEqual([
      "x succeeded",
      "Done.",
    ]);
  });

  test("ends a program that is silent for ten seconds, and one that is told to stop", async () => {
    if (studio === null) return;
    expect((await say("for (;;) {}")).at(-1)).toBe("Ended: 10 seconds without an answer. Print something now and then in long runs.");
    const stopped = await say('console.log("on"); for (;;) {}', async () => {
      await page.waitForSelector(".code-log");
      await page.click("#code-stop");
    });
    expect(stopped).toEqual(["on", "Stopped."]);
    expect(await page.evaluate(() => document.querySelectorAll("iframe").length)).toBe(0);
  });

  test("limits memory, nodes and words", async () => {
    if (studio === null) return;
    const memory = await say(
      'import { compile, graph, add, f32 } from "chainrule";\nimport { wasm } from "chainrule/wasm";\nconst g = graph({ x: f32(20000, 20000) }, ({ x }) => add(x, 1));\nconst p = await compile(g, wasm());\np.run({ x: 1 });\n',
    );
    expect(memory.at(-1)).toMatch(/EngineError: wasm: .* needs \d+ bytes/);
    const nodes = await say('import { add, variable } from "chainrule";\nlet x = variable(1);\nfor (;;) x = add(x, 1);\n');
    expect(nodes.at(-1)).toContain("a program in the studio may make 1,000,000 nodes; build the graph once");
    const words = await say("for (let i = 0; ; i++) postMessage({ kind: 'log', text: String(i) });");
    expect(words.at(-1)).toBe("the program says more than can be shown: 4,000 things at once, or 400 a second");
  });

  test("takes what a program says as text, whatever it is", async () => {
    if (studio === null) return;
    const said = await say(
      `console.log("<img src=x onerror=alert(1)>"); postMessage({ kind: "picture", svg: "<svg xmlns='http://www.w3.org/2000/svg'><script>parent.document.title = 'taken'</script></svg>", title: "<b>" }); postMessage({ kind: "other" }); postMessage(null); console.log({ a: 1n }, [1, NaN], undefined);`,
    );
    expect(said).toEqual(["<img src=x onerror=alert(1)>", '{"a":"1"} [1,null] undefined', "Done."]);
    expect(
      await page.evaluate(() => [
        document.title,
        document.querySelectorAll("#code-lines img").length,
        document.querySelector("figcaption")?.textContent,
      ]),
    ).toEqual(["chainrule studio", 0, "<b>"]);
  });

  test("keeps the program in the address, and speaks Korean", async () => {
    if (studio === null) return;
    await say('console.log("주소");');
    await page.waitForFunction(() => location.hash.length > 20);
    // The address is written a moment after the last change.
    await new Promise((resolve) => setTimeout(resolve, 600));
    const at = await page.evaluate(() => location.hash);
    const other = await studio.visit({ at: `?lang=ko${at}` });
    await other.page.waitForSelector("#code-run");
    expect(await other.page.textContent("#code-run")).toBe("실행");
    await other.page.click("#code-run");
    await other.page.waitForSelector(".code-done");
    expect(await other.page.textContent("#code-lines")).toBe("주소끝났습니다.");
    expect(other.faults).toEqual([]);
    await other.page.close();
  });

  test("works by the keyboard and leaves no fault on the console", async () => {
    if (studio === null) return;
    await page.focus("#code-run");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".code-done");
    expect(faults).toEqual([]);
  });
});
