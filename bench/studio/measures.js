// What the studio is held to, measured in the page itself. Each measure opens tabs of its own and gives its samples.
import { statSync } from "node:fs";
import { traced } from "./visit.js";

/** @param {number} ms */
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** `w0*x0 + w1*x1 + ...` as a picture of so many items: a product is two leaves, a gate and a sum. @param {number} items */
function sumOfProducts(items) {
  return Array.from({ length: Math.round(items / 4) }, (_, i) => `w${i}*x${i}`).join(" + ");
}

/** A net of small layers, wider than deep, whose wires cross. @param {number} items */
function crossing(items) {
  const lines = [];
  const width = 6;
  const rows = Math.ceil((items - width - 2) / (2 * width));
  for (let row = 1; row <= rows; row++)
    for (let i = 0; i < width; i++) {
      const from = row === 1 ? "x" : `h${row - 1}_`;
      lines.push(`h${row}_${i} = tanh(${from}${i} * ${from}${(i + row) % width})`);
    }
  lines.push(`f = ${Array.from({ length: width }, (_, i) => `h${rows}_${i}`).join(" + ")}`);
  return lines.join("\n");
}

/** @param {string} formula @param {object} [more] */
const graphState = (formula, more = {}) => ({ tab: "graph", graph: { formula, values: {}, ...more } });

/** The tasks of the thread on which keys arrive, and the times at which they did, in milliseconds. @param {any[]} events */
function mainThread(events) {
  const keys = events.filter(({ name, ph, args }) => name === "EventDispatch" && ph === "X" && args.data?.type === "keydown");
  const { pid, tid } = keys[0];
  const tasks = events
    .filter((e) => e.ph === "X" && e.pid === pid && e.tid === tid && e.name.endsWith("RunTask"))
    .map(({ ts, dur = 0, tdur = dur }) => ({ at: ts / 1000, took: dur / 1000, cpu: tdur / 1000 }))
    .sort((a, b) => a.at - b.at);
  // What runs inside another task is counted with it.
  const outer = [];
  let end = 0;
  for (const task of tasks)
    if (task.at >= end) {
      outer.push(task);
      end = task.at + task.took;
    }
  // Where the page's thread has done its part of a frame: it is handed over to be drawn.
  const handed = events
    .filter((e) => e.ph === "X" && e.pid === pid && e.tid === tid && e.name === "Commit")
    .map(({ ts, dur = 0 }) => (ts + dur) / 1000)
    .sort((a, b) => a - b);
  return { keys: keys.map(({ ts }) => ts / 1000).sort((a, b) => a - b), tasks: outer, handed };
}

/** @param {readonly any[]} tasks @param {"took" | "cpu"} what */
const total = (tasks, what) => tasks.reduce((sum, task) => sum + task[what], 0);

/**
 * What the page's thread works when a step's key is pressed. `frame`: up to the frame that shows the step (handling the key, style, layout, painting,
 * handing the frame over). `took`: all that it causes within 60 ms, with the frames after it, in which the card's formula and the texts beside the
 * picture follow. Neither counts waiting for the screen; `clock` is the time from the key until that first frame is handed over, with all waiting.
 *
 * @param {Awaited<ReturnType<typeof import("./visit.js").openStudio>>} studio
 */
export async function stepToPaint(studio, items = 60) {
  const page = await studio.visit(graphState(sumOfProducts(items), { step: 0 }));
  await page.waitForSelector(".cr-item");
  const shown = await page.locator(".cr-item").count();
  const steps = await page.evaluate(() => document.querySelectorAll("#scrubber button, .chip").length);
  await page.locator(".cr [tabindex='0']").focus();
  const presses = Math.min(50, steps || 50);
  const walk = async () => {
    for (let i = 0; i < presses; i++) {
      await page.keyboard.press(".");
      await pause(60);
    }
  };
  await walk();
  await page.keyboard.press("Home");
  await pause(200);
  const { keys, tasks, handed } = mainThread(await traced(page, walk));
  const samples = keys.map((at, i) => {
    const until = Math.min(keys[i + 1] ?? Number.POSITIVE_INFINITY, at + 60) - 1;
    const own = tasks.filter((task) => task.at + task.took > at && task.at < until);
    const shows = handed.find((end) => end > at) ?? until;
    const frame = own.filter((task) => task.at < shows);
    return {
      frame: total(frame, "took"),
      frameCpu: total(frame, "cpu"),
      took: total(own, "took"),
      cpu: total(own, "cpu"),
      clock: shows - at,
    };
  });
  await page.context().close();
  const all = (what) => samples.map((sample) => sample[what]);
  return { shown, frame: all("frame"), frameCpu: all("frameCpu"), took: all("took"), cpu: all("cpu"), clock: all("clock") };
}

/**
 * What a key costs in the box of a long formula until the frame that shows the letter: by the clock with all waiting, and as work of the page's thread.
 *
 * @param {Awaited<ReturnType<typeof import("./visit.js").openStudio>>} studio
 */
export async function typing(studio, items = 250) {
  const page = await studio.visit(graphState(sumOfProducts(items)));
  await page.waitForSelector(".cr-item");
  const shown = await page.locator(".cr-item").count();
  await page.focus("#formula");
  await page.keyboard.press("Control+End");
  const type = async (text) => {
    for (const letter of text) {
      await page.keyboard.type(letter);
      await pause(120);
    }
    await pause(500);
  };
  await type(" + a*b");
  const { keys, tasks, handed } = mainThread(await traced(page, () => type(" + c0*d0 + c1*d1 + c2*d2")));
  const samples = keys.map((at) => {
    const shows = handed.find((end) => end > at) ?? at;
    const frame = tasks.filter((task) => task.at + task.took > at && task.at < shows);
    return { clock: shows - at, took: total(frame, "took") };
  });
  await page.context().close();
  return { shown, clock: samples.map(({ clock }) => clock), took: samples.map(({ took }) => took) };
}

/** Layouts as the page makes them, of a formula that changes: the first one, and the others. */
export async function layouts(studio, items = 150, rounds = 15) {
  const formula = crossing(items);
  const page = await studio.visit(graphState(formula));
  await page.waitForSelector(".cr-item");
  const shown = await page.locator(".cr-item").count();
  const entries = () => page.evaluate(() => performance.getEntriesByName("layout").map(({ duration }) => duration));
  const [first] = await entries();
  for (let i = 1; i <= rounds; i++) {
    await page.fill("#formula", formula.replace("f = ", `f = ${i} + `));
    // A graph that takes long is made when the keys have paused.
    await page.waitForFunction((n) => performance.getEntriesByName("layout").length > n, i);
    await pause(150);
  }
  const all = await entries();
  await page.context().close();
  return { items: shown, first, took: all.slice(1) };
}

/** Frames a second while the picture is dragged about. */
export async function panning(studio, elements = 3000) {
  const page = await studio.visit(graphState(crossing(Math.round(elements / 17.2))));
  await page.waitForSelector(".cr-item");
  const count = await page.evaluate(() => document.querySelectorAll(".cr *").length);
  await page.click("#fit");
  const box = await page.locator("svg.cr").boundingBox();
  await page.mouse.move(box.x + 20, box.y + 20);
  await page.mouse.down();
  const rates = await page.evaluate(async () => {
    const target = document.querySelector("svg.cr");
    const frame = () => new Promise((done) => requestAnimationFrame(done));
    const found = [];
    let turn = 0;
    for (let round = 0; round < 6; round++) {
      const from = performance.now();
      let frames = 0;
      while (performance.now() - from < 1000) {
        const at = { pointerId: 1, buttons: 1, clientX: 300 + 150 * Math.cos(turn), clientY: 300 + 100 * Math.sin(turn), bubbles: true };
        target.dispatchEvent(new PointerEvent("pointermove", at));
        turn += 0.1;
        await frame();
        frames++;
      }
      found.push((frames * 1000) / (performance.now() - from));
    }
    return found;
  });
  await page.context().close();
  return { count, rates: rates.slice(1) };
}

/** Runs in the page: notes in `window.painted` when the first element of a selector has been painted. @param {string} selector */
function notePaint(selector) {
  window.painted = undefined;
  new MutationObserver((_, observer) => {
    if (document.querySelector(selector) === null) return;
    observer.disconnect();
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => {
        window.painted = performance.now();
      };
      port2.postMessage(null);
    });
  }).observe(document, { childList: true, subtree: true });
}

/** From nothing kept to the lecture's example painted. */
export async function firstPaint(studio, rounds = 7) {
  const samples = [];
  for (let i = 0; i < rounds; i++) {
    const page = await studio.visit(undefined, notePaint, ".cr-item");
    await page.waitForFunction(() => window.painted !== undefined);
    samples.push(
      await page.evaluate(() => ({
        picture: window.painted,
        page: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0,
      })),
    );
    await page.context().close();
  }
  return samples;
}

/**
 * The spiral with a net of 2-8-8-1 for some seconds at full pace. `draws` are the pictures that the worker drew in frames of the browser, which come only
 * when the last one was taken; `texts` are the changes of the numbers beside them.
 */
export async function training(studio, seconds = 10) {
  const page = await studio.visit({
    tab: "train",
    train: { data: "spiral", layers: [8, 8], optimizer: "adam", rate: 0.01, pace: "full" },
  });
  await page.waitForSelector("#play:not([disabled])");
  await page.evaluate(() => {
    window.drawn = 0;
    new MutationObserver(() => window.drawn++).observe(document.querySelector("#epoch"), {
      childList: true,
      characterData: true,
      subtree: true,
    });
  });
  await page.click("#play");
  await pause(3000);
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "timeTicks" });
  const now = async () => {
    const { metrics } = await session.send("Performance.getMetrics");
    const of = (name) => metrics.find((m) => m.name === name).value;
    const { texts, drawn, toldAt, epoch } = await page.evaluate(() => ({
      texts: window.drawn,
      drawn: performance.getEntriesByName("pictures").at(-1)?.detail ?? 0,
      // The count is told ten times a second, so its own time counts and not that of asking.
      toldAt: (performance.getEntriesByName("pictures").at(-1)?.startTime ?? 0) / 1000,
      epoch: Number(document.querySelector("#epoch").textContent.replaceAll(",", "")),
    }));
    return { at: of("Timestamp"), busy: of("TaskDuration"), texts, drawn, toldAt, epoch };
  };
  const rows = 250;
  const found = [];
  for (let i = 0; i < seconds; i++) {
    const a = await now();
    await pause(1000);
    const b = await now();
    const long = b.at - a.at;
    found.push({
      samples: ((b.epoch - a.epoch) * rows) / long,
      draws: (b.drawn - a.drawn) / (b.toldAt - a.toldAt),
      texts: (b.texts - a.texts) / long,
      busy: (b.busy - a.busy) / long,
    });
  }
  await page.context().close();
  return found;
}

/** From the choice of a file to its collapsed picture painted. @param {string} path */
export async function importing(studio, path, rounds = 3) {
  const samples = [];
  let items = 0;
  for (let i = 0; i < rounds; i++) {
    const page = await studio.visit({ tab: "import" });
    await page.waitForSelector("#import-file", { state: "attached" });
    await pause(300);
    await page.evaluate(() => {
      document.querySelector("#import-file").addEventListener("change", () => (window.chosen = performance.now()), { capture: true });
    });
    await page.evaluate(notePaint, "#import-canvas [data-item]");
    await page.setInputFiles("#import-file", path);
    await page.waitForFunction(() => window.painted !== undefined || document.querySelector("#import-fault") !== null, undefined, {
      timeout: 120_000,
    });
    const fault = await page.evaluate(() => document.querySelector("#import-fault")?.textContent ?? null);
    if (fault !== null) throw new Error(fault);
    samples.push(await page.evaluate(() => window.painted - window.chosen));
    items = await page.locator("#import-canvas [data-item]").count();
    await page.context().close();
  }
  return { bytes: statSync(path).size, items, samples };
}
