import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { examples } from "../../studio/code/examples.ts";
import { leftOut, type Page } from "../browser/launch.ts";
import { openStudio, type Studio } from "./open-studio.ts";

let studio: Studio;
let page: Page;
let faults: string[];
/** A page without a service worker, where a program is silent from the beginning. */
let silent: { readonly page: Page; readonly faults: string[] };

beforeAll(async () => {
  studio = await openStudio();
  ({ page, faults } = await studio.visit({ offline: true }));
  await page.click("#tab-code");
  await page.waitForSelector("#code-run");
  silent = await studio.visit();
});

afterAll(() => studio.close());

/** Clicks Run and waits until that run is over; gives what it said. */
async function runs(started?: () => Promise<void>, on: Page = page): Promise<string[]> {
  const before = Number(await on.evaluate(() => document.querySelector<HTMLElement>("#code-lines")!.dataset["turn"]));
  await on.click("#code-run");
  await started?.();
  await on.waitForFunction((turn) => {
    const { dataset, ariaBusy } = document.querySelector<HTMLElement>("#code-lines")!;
    return Number(dataset["turn"]) > turn && ariaBusy === "false";
  }, before);
  return on.evaluate(() => Array.from(document.querySelectorAll("#code-lines > *"), (line) => line.textContent ?? ""));
}

/** Puts a program into the editor as if it was typed, runs it to its end, and gives what it said. */
async function say(source: string, started?: () => Promise<void>, on: Page = page): Promise<string[]> {
  await on.evaluate(() => document.querySelector(".code-editor")!.shadowRoot!.querySelector<HTMLElement>(".cm-content")!.focus());
  await on.keyboard.press("Control+a");
  await on.keyboard.insertText(source);
  return runs(started, on);
}

/** Ways out of the sandbox: what throws or rejects has failed. */
function waysOut(url: string): readonly (readonly [name: string, code: string])[] {
  const opens = (made: string): string =>
    `await new Promise((yes, no) => { const s = ${made}; s.onopen = yes; s.onerror = () => no(new Error("closed")); })`;
  return [
    ["fetch", `await fetch(${JSON.stringify(url)})`],
    ["fetch elsewhere", 'await fetch("https://example.com/")'],
    ["WebSocket", opens(`new WebSocket(${JSON.stringify(url.replace("http", "ws"))})`)],
    ["EventSource", opens(`new EventSource(${JSON.stringify(url)})`)],
    ["importScripts", `importScripts(${JSON.stringify(`${url}sw.js`)})`],
    ["import", `await import(${JSON.stringify(`${url}sw.js`)})`],
    ["XMLHttpRequest", `const r = new XMLHttpRequest(); r.open("GET", ${JSON.stringify(url)}, false); r.send()`],
    ["the parent", "parent.document.title"],
    ["the document", "document.title"],
    ["storage", "localStorage.length"],
    ["caches", "await caches.keys()"],
    [
      "IndexedDB",
      'await new Promise((yes, no) => { const r = indexedDB.open("x"); r.onsuccess = yes; r.onerror = () => no(new Error("denied")); })',
    ],
    ["eval", 'eval("1 + 1")'],
    ["Function", 'new Function("return 1")()'],
    [
      "a worker of the page's files",
      `await new Promise((yes, no) => { const w = new Worker(${JSON.stringify(`${url}sw.js`)}); w.onerror = () => no(new Error("blocked")); setTimeout(yes, 3000); })`,
    ],
    [
      "a worker of a text that fetches",
      `await new Promise((yes, no) => { const w = new Worker("data:text/javascript," + encodeURIComponent("fetch('${url}').then(() => postMessage(1), () => postMessage(0))")); w.onmessage = ({ data }) => data ? yes() : no(new Error("blocked")); w.onerror = () => no(new Error("blocked")); })`,
    ],
    [
      "a worker that fetches",
      `await new Promise((yes, no) => { const w = new Worker(URL.createObjectURL(new Blob(["fetch('${url}').then(() => postMessage(1), () => postMessage(0))"]))); w.onmessage = ({ data }) => data ? yes() : no(new Error("blocked")); w.onerror = () => no(new Error("blocked")); })`,
    ],
  ];
}

/** Tries them one after the other and says of each what came of it. */
function tries(ways: readonly (readonly [name: string, code: string])[], tell: string): string {
  return ways
    .map(
      ([name, code]) =>
        `try { ${code}; ${tell}(${JSON.stringify(`${name} succeeded`)}); } catch (error) { ${tell}(${JSON.stringify(`${name} failed`)}); }`,
    )
    .join("\n");
}

describe.skipIf(leftOut())("the Code tab", () => {
  test.each(examples.map(({ name }) => name))("runs the example %s", async (name) => {
    await page.selectOption("#code-example", name);
    const lines = await runs();
    expect(lines.at(-1)).toBe("Done.");
    if (name === "lecture") expect(lines).toEqual(["f = -12", "df/dx = -4  df/dy = -4  df/dz = 3", "Done."]);
    if (name === "moons") expect(Number(/loss ([\d.]+)/.exec(lines.at(-2)!)![1])).toBeLessThan(0.05);
    if (name !== "lecture" && name !== "neuron" && name !== "ownGate") return;
    await page.waitForFunction(() => document.querySelector<HTMLImageElement>(".code-pictures img")?.naturalWidth);
  });

  test("says the line of what goes wrong, in the program's text and while it runs", async () => {
    expect((await say("const a = 1;\nconst b = ;\n"))[0]).toMatch(/^line 2: /);
    // What takes types away lets this pass, the browser does not.
    expect((await say("let a = 1;\n\nlet a = 2;\n"))[0]).toMatch(/^line 3: SyntaxError: Identifier 'a' has already been declared$/);
    expect((await say('import { matmul, tensor } from "chainrule";\n\nmatmul(tensor([[1, 2]]), tensor([[1, 2]]));\n')).at(-1)).toMatch(
      /^line 3: ShapeError: matmul/,
    );
    expect((await say('import fs from "node:fs";\nfs.rmSync("/");')).at(-1)).toContain(
      '"node:fs" cannot be imported here; there are chainrule, ',
    );
    expect(await say('import { binaryCrossEntropyWithLogits } from "chainrule";\nbinaryCrossEntropyWithLogits(1, 1);\n')).toEqual([
      'line 2: TypeError: "chainrule" has no "binaryCrossEntropyWithLogits"; there is binaryCrossEntropy',
    ]);
  });

  test("goes on until timers are through, and says what fails where nobody waits", async () => {
    expect(
      await say(`const { wasm } = await import("chainrule/wasm");
let n = 0;
const id = setInterval(() => { console.log(typeof wasm, ++n); if (n === 2) clearInterval(id); }, 20);
(async () => {
  await new Promise((next) => setTimeout(next, 100));
  throw new Error("forgotten");
})();
console.log("through");
`),
    ).toEqual(["through", "function 1", "function 2", "line 6: Error: forgotten"]);
    expect(await say("console.log(1); close(); setTimeout(() => console.log(2), 500);")).toEqual(["1", "Done."]);
  });

  test.each([
    ["comes from the service worker", true],
    ["comes from the host", false],
  ])("lets a program reach nothing outside where its frame %s, with a network and without", async (_, isKept) => {
    const ways = waysOut(studio.url);
    const failed = ways.map(([name]) => `${name} failed`);
    const visit = isKept ? { page, faults } : silent;
    const on = visit.page;
    if (isKept) await on.waitForFunction(() => navigator.serviceWorker.controller?.state === "activated");
    else await on.click("#tab-code");
    await on.waitForSelector(".code-editor");
    // The policy alone, without what the library takes away from programs: a worker with a text of its own in the same frame.
    const bare = `(async () => { ${tries(ways, "postMessage")} postMessage("end"); })();`;
    expect(
      await on.evaluate(
        async ({ text, kept }) => {
          const [, address] = /"frame":"([^"]+)"/.exec(await (await fetch("./sw.js")).text())!;
          const frame = document.createElement("iframe");
          if (!kept) frame.setAttribute("sandbox", "allow-scripts");
          frame.src = address!;
          document.body.append(frame);
          await new Promise((loaded) => frame.addEventListener("load", loaded));
          const said: unknown[] = [frame.contentDocument];
          const { port1, port2 } = new MessageChannel();
          const end = new Promise<void>((done) => {
            port1.onmessage = ({ data }) => (data === "end" ? done() : said.push(data));
          });
          frame.contentWindow!.postMessage({ prelude: text, program: "" }, "*", [port2]);
          await end;
          frame.remove();
          return said;
        },
        { text: bare, kept: isKept },
      ),
    ).toEqual([null, { kind: "here" }, ...failed]);
    for (const isOffline of [false, true]) {
      await on.context().setOffline(isOffline);
      let isBySandbox: unknown;
      const said = await say(
        `await new Promise((next) => setTimeout(next, 300));\n${tries(ways, "console.log")}`,
        async () => {
          await on.waitForSelector("iframe", { state: "attached" });
          isBySandbox = await on.evaluate(() => document.querySelector("iframe")!.hasAttribute("sandbox"));
        },
        on,
      );
      expect([isOffline, isBySandbox, ...said]).toEqual([isOffline, !isKept, ...failed, "Done."]);
    }
    await on.context().setOffline(false);
    // The browser reports on its console what it refused; nothing left this machine.
    expect(visit.faults.filter((fault) => fault.startsWith("request:") && !fault.includes(studio.url))).toEqual([]);
    faults.length = 0;
    if (isKept) return;
    // The page is left with a program that says nothing.
    await on.evaluate(() => document.querySelector(".code-editor")!.shadowRoot!.querySelector<HTMLElement>(".cm-content")!.focus());
    await on.keyboard.press("Control+a");
    await on.keyboard.insertText("await new Promise(() => undefined);");
    await on.click("#code-run");
  });

  test("would see a program that does reach something", async () => {
    expect(await say('try { Object.keys({}).length; console.log("x", "succeeded"); } catch { console.log("x", "failed"); }')).toEqual([
      "x succeeded",
      "Done.",
    ]);
  });

  test("ends a program that is told to stop, whatever it does", async () => {
    const stopped = await say('console.log("on"); for (;;) {}', async () => {
      await page.waitForSelector(".code-log");
      await page.click("#code-stop");
    });
    expect(stopped).toEqual(["on", "Stopped."]);
    expect(await page.evaluate(() => document.querySelectorAll("iframe").length)).toBe(0);
  });

  test("ends a program whose engines ask for more than 512 MiB together, and lets one have nearly all", async () => {
    const filled = (rows: number, caught: string): string =>
      `import { add, compile, graph, f32 } from "chainrule";
import { wasm } from "chainrule/wasm";
const kept = [];
for (let i = 0; i < 2; i++) {
  ${caught === "" ? "" : "try {"}
  const p = await compile(graph({ x: f32(${rows}, 2 ** 20) }, ({ x }) => ({ y: add(x, 1) })), wasm());
  kept.push(p);
  console.log("compiled", i);
  ${caught}
}
for (;;) await new Promise((next) => { setTimeout(next, 1000); console.log("goes on"); if (${caught === ""}) throw new Error("enough"); });
`;
    // Two engines, x and y in each, rows of 4 MiB: 496 MiB and a little; with 33 rows 528.
    const under = await say(filled(31, ""));
    expect(under).toEqual(["compiled 0", "compiled 1", "goes on", expect.stringContaining("enough")]);
    // A program that catches the error goes on asking, and is ended all the same.
    const over = await say(filled(33, "} catch (error) { console.log(error.message); }"));
    expect(over.at(-1)).toContain("a program in the studio may use 512 MiB of engine memory, all its engines together");
  });

  test("has nothing to make another realm, memory or worker of", async () => {
    const attempts = [
      ["WebAssembly", "new WebAssembly.Memory({ initial: 9000 })"],
      ["its name, again", 'new (Object.getPrototypeOf(async () => {}).constructor)("return WebAssembly")()'],
      ["a worker", "new Worker('data:text/javascript,postMessage(1)')"],
      ["a shared worker", "new SharedWorker('data:text/javascript,')"],
      ["an address for a text", "URL.createObjectURL(new Blob(['postMessage(1)']))"],
      ["another realm's text", "importScripts('data:text/javascript,self.x = 1')"],
      ["a module of a text", "await import('data:text/javascript,export default 1')"],
      ["WebAssembly as a module", "await import('data:application/wasm;base64,AGFzbQEAAAA=')"],
      ["shared memory", "new SharedArrayBuffer(8)"],
      ["a frame", "document.createElement('iframe')"],
      ["the program's own text", "await import(/blob:[^)]*?(?=:\\d)/.exec(new Error().stack)[0])"],
    ] as const;
    const said = await say(
      attempts
        .map(
          ([name, code]) =>
            `try { ${code}; console.log(${JSON.stringify(name)}, "succeeded"); } catch { console.log(${JSON.stringify(name)}, "failed"); }`,
        )
        .join("\n"),
    );
    expect(said).toEqual([...attempts.map(([name]) => `${name} failed`), "Done."]);
    faults.length = 0;
  });

  test("ends a program that makes an array of more than 512 MiB or keeps more than 1 GiB, whatever it catches and tampers with", async () => {
    expect(await say("try { new Float64Array(2 ** 26 + 1); console.log(1); } catch { for (;;); }")).toEqual([
      expect.stringContaining("line 1: RangeError: an array of a program in the studio may have 512 MiB"),
    ]);
    const kept = await say(`const kept = [];
for (const name of ["get", "construct", "apply"]) Object.prototype[name] = () => 1;
Array.prototype[Symbol.iterator] = Array.prototype.push = String.prototype.slice = () => { throw 1; };
RangeError = Error.prepareStackTrace = WeakRef.prototype.deref = WeakMap.prototype.set = () => { throw 2; };
for (let i = 0; i < 100; i++) { try { kept[i] = new Float64Array(12.5e6); console.log(i); } catch { for (;;); } }
`);
    expect(kept.length).toBeLessThan(15);
    expect(kept.at(-1)).toContain("RangeError: a program in the studio may keep 1 GiB of arrays, all together; let go of those");
    // Of the engine that interprets, too.
    expect(
      await say('import { evaluate, expand, mul } from "chainrule";\n\nevaluate(mul(2, expand(1, { shape: [2 ** 14, 2 ** 13] })));\n'),
    ).toEqual([expect.stringContaining("line 3: RangeError: an array of a program in the studio may have 512 MiB")]);
  });

  test("lets a program have arrays of 512 MiB, and make and drop as many as it likes", async () => {
    expect(
      await say(`console.log(new Float64Array(2 ** 26).length, new ArrayBuffer(2 ** 29).byteLength);
const kept = new Float64Array(2 ** 25);
for (let i = 0; i < 100; i++) new Float64Array(12.5e6)[i] = 1;
console.log(kept.length);
`),
    ).toEqual(["67108864 536870912", "33554432", "Done."]);
  });

  test("ends a program that makes more than 1,000,000 nodes, though it catches the error, and lets one make nearly as many", async () => {
    // Every part of the library makes them in one place, where the build counts them. Each turn makes two: the sum, and the 1.
    const said = await say(`import { add, read, variable } from "chainrule";
import * as optim from "chainrule/optim";
let x = variable(1);
for (let i = 0; i < 499_000; i++) x = add(x, 1);
console.log(read(x));
const rule = optim.sgd({ rate: 0.1 });
const params = { w: x };
for (;;) { try { rule.update({ params, grad: params, opt: rule.init(params) }); } catch { } }
`);
    expect(said).toEqual(["499001", expect.stringContaining("a program in the studio may make 1,000,000 nodes; build the graph once")]);
  });

  test("ends a program that says too much", async () => {
    expect((await say("for (let i = 0; ; i++) postMessage({ kind: 'log', text: String(i) });")).at(-1)).toBe(
      "the program says more than can be shown: 4,000 things at once, or 400 a second",
    );
    // The last line is in sight.
    expect(
      await page.evaluate(() => {
        const { scrollTop, scrollHeight, clientHeight } = document.querySelector("#code-lines")!;
        return [scrollHeight > clientHeight, scrollHeight - clientHeight - scrollTop < 2];
      }),
    ).toEqual([true, true]);
    const long = await say("const text = 'x'.repeat(1e6); for (;;) console.log(text);");
    expect(long.at(-1)).toBe("the program says more than can be shown: 40,000,000 characters at once, or 4,000,000 a second");
  });

  test("takes what a program says as text, whatever it is", async () => {
    const said = await say(
      `console.log("<img src=x onerror=alert(1)>"); postMessage({ kind: "picture", svg: "<svg xmlns='http://www.w3.org/2000/svg'><script>parent.document.title = 'taken'</script></svg>", title: "<b>" }); postMessage({ kind: "other" }); postMessage(null); console.log({ a: 1n }, [1, NaN], undefined);`,
    );
    expect(said).toEqual(["<img src=x onerror=alert(1)>", "{a: 1n} [1, NaN] undefined", "Done."]);
    expect(
      await page.evaluate(() => [
        document.title,
        document.querySelectorAll("#code-lines img").length,
        document.querySelector("figcaption")?.textContent,
      ]),
    ).toEqual(["Code · chainrule studio", 0, "<b>"]);
  });

  test("ends a program that is silent for ten seconds, keeps the program in the address, and speaks Korean", async () => {
    await say('console.log("주소");');
    await page.waitForFunction(() => location.hash.length > 20);
    // The address is written a moment after the last change.
    await new Promise((resolve) => setTimeout(resolve, 600));
    const at = await page.evaluate(() => location.hash);
    const { page: other } = silent;
    // What was silent for ten seconds has been ended meanwhile.
    await other.waitForSelector(".code-fault");
    expect(await other.textContent("#code-lines")).toBe("Ended: 10 seconds without an answer. Print something now and then in long runs.");
    silent.faults.length = 0;
    await other.goto(`${studio.url}?lang=ko${at}`);
    await other.waitForSelector("#code-run");
    expect(await other.textContent("#code-run")).toBe("실행");
    await other.click("#code-run");
    await other.waitForSelector(".code-done");
    expect(await other.textContent("#code-lines")).toBe("주소끝났습니다.");
    expect(silent.faults).toEqual([]);
  });

  test("works by the keyboard and leaves no fault on the console", async () => {
    await page.focus("#code-run");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".code-done");
    expect(faults).toEqual([]);
  });
});
