/**
 * The program of a page: steps through the pictures by putting changed elements in place. It is text, because it runs in the reader's browser from
 * inside one file; `test/explain/player.test.ts` and `test/browser/` run it.
 */
export const pageScript: string = `(() => {
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
const stage = $("stage"), scrub = $("scrub"), player = $("player");
const svg = stage.querySelector("svg");
const last = data.changes.length - 1;
const place = {};
for (const el of svg.querySelectorAll("[data-item]")) place["i" + el.getAttribute("data-item")] = el;
for (const el of svg.querySelectorAll("[data-wire]")) place["w" + el.getAttribute("data-wire")] = el;
svg.querySelectorAll(".cr-trunk").forEach((el, i) => { place["t" + i] = el; });
const shown = {}, before = [];
for (const [part, element] of data.changes[0]) shown[part] = element;
const replay = { ...shown };
data.changes.forEach((changed, t) => {
  before[t] = t === 0 ? [] : changed.map(([part]) => [part, replay[part]]);
  if (t > 0) for (const [part, element] of changed) replay[part] = element;
});
const fresh = document.createElementNS("http://www.w3.org/2000/svg", "g");
let now = 0, language = document.documentElement.lang === "ko" ? 1 : 0, timer = 0;
const words = () => data.words[language];

function put(part) {
  fresh.innerHTML = data.elements[shown[part]][language];
  const el = fresh.firstElementChild, old = place[part];
  if (el === null || old === undefined) return;
  // Lit wires go on top of the plain ones, below the dots.
  const lit = part[0] === "w" && /cr-(up|down)stream/.test(el.getAttribute("class"));
  if (lit) {
    const parent = old.parentNode;
    old.remove();
    parent.insertBefore(el, parent.querySelector(":scope > .cr-dot"));
  } else old.replaceWith(el);
  place[part] = el;
}

function go(to) {
  const target = Math.max(0, Math.min(last, to));
  const changed = new Set();
  const take = (list) => { for (const [part, element] of list) { shown[part] = element; changed.add(part); } };
  while (now < target) take(data.changes[++now]);
  while (now > target) take(before[now--]);
  for (const part of changed) put(part);
  tell();
  const lit = svg.querySelector(".cr-item.cr-active");
  if (lit !== null && typeof lit.getBoundingClientRect === "function") show(lit);
  if (now === last) pause();
}

function show(el) {
  const a = el.getBoundingClientRect(), b = stage.getBoundingClientRect();
  if (a.left < b.left + 40 || a.right > b.right - 40) stage.scrollLeft += (a.left + a.right - b.left - b.right) / 2;
  if (a.top < b.top + 20 || a.bottom > b.bottom - 20) stage.scrollTop += (a.top + a.bottom - b.top - b.bottom) / 2;
}

function tell() {
  const step = data.steps[now].texts[language];
  $("head").textContent = step.head;
  const lines = $("lines");
  lines.replaceChildren(...step.lines.map((line) => Object.assign(document.createElement("p"), { textContent: line })));
  $("say").textContent = step.say;
  $("count").textContent = step.count;
  scrub.value = String(now);
  scrub.setAttribute("aria-valuetext", step.count);
  $("previous").disabled = $("first").disabled = now === 0;
  $("next").disabled = $("last").disabled = now === last;
  $("toForward").setAttribute("aria-pressed", String(now <= data.forward));
  $("toBackward").setAttribute("aria-pressed", String(now > data.forward));
  for (const row of document.querySelectorAll("tbody tr")) {
    const is = row.getAttribute("data-step") === String(now);
    row.classList.toggle("now", is);
    if (is) row.setAttribute("aria-current", "step");
    else row.removeAttribute("aria-current");
  }
}

function speak(to) {
  language = to;
  document.documentElement.lang = data.languages[to];
  for (const el of document.querySelectorAll("[data-t]")) el.textContent = words()[el.getAttribute("data-t")];
  for (const el of document.querySelectorAll("[data-label]")) {
    el.setAttribute("aria-label", words()[el.getAttribute("data-label")]);
    if (el.tagName === "BUTTON") el.title = words()[el.getAttribute("data-label")];
  }
  $("language").textContent = data.names[1 - to];
  $("language").lang = data.languages[1 - to];
  for (const part of Object.keys(place)) if (part in shown) put(part);
  playing(timer !== 0);
  tell();
}

function playing(is) {
  const label = words()[is ? "pause" : "play"];
  $("play").setAttribute("aria-label", label);
  $("play").title = label;
  $("playIcon").setAttribute("d", is ? "M6 5h4v14H6zM14 5h4v14h-4z" : "M7 4l13 8-13 8z");
}
function pause() {
  if (timer !== 0) clearInterval(timer);
  timer = 0;
  playing(false);
}
function play() {
  if (timer !== 0) return pause();
  if (now === last) go(0);
  timer = setInterval(() => go(now + 1), 1200 / Number($("speed").value));
  playing(true);
}
function phase(backward) {
  pause();
  go(backward ? data.forward + 1 : 0);
}

const moves = { first: () => go(0), previous: () => go(now - 1), next: () => go(now + 1), last: () => go(last), toForward: () => phase(false), toBackward: () => phase(true) };
for (const [id, move] of Object.entries(moves)) $(id).addEventListener("click", () => { pause(); move(); });
$("play").addEventListener("click", play);
$("speed").addEventListener("change", () => { if (timer !== 0) { pause(); play(); } });
$("fit").addEventListener("click", () => { $("fit").setAttribute("aria-pressed", String(stage.classList.toggle("fit"))); });
scrub.addEventListener("input", () => { pause(); go(Number(scrub.value)); });
$("language").addEventListener("click", () => speak(1 - language));
$("theme").addEventListener("click", () => {
  const root = document.documentElement;
  const dark = root.dataset.theme === undefined ? matchMedia("(prefers-color-scheme: dark)").matches : root.dataset.theme === "dark";
  root.dataset.theme = dark ? "light" : "dark";
});
document.querySelector("tbody").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button !== null) { pause(); go(Number(button.closest("tr").getAttribute("data-step"))); }
});
const keys = { ".": "next", ",": "previous", Home: "first", End: "last", f: "toForward", b: "toBackward" };
// Single letters act only while the focus is in the player (WCAG 2.1.4), and never inside an input method's composition.
player.addEventListener("keydown", (event) => {
  if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  const tag = event.target.tagName;
  if (tag === "SELECT") return;
  if (event.key === " ") {
    if (tag === "BUTTON") return;
    event.preventDefault();
    play();
    return;
  }
  const move = Object.hasOwn(keys, event.key) ? moves[keys[event.key]] : undefined;
  if (move === undefined || (tag === "INPUT" && event.key.length > 1)) return;
  event.preventDefault();
  pause();
  move();
});
const hash = /^#(\\d+)$/.exec(location.hash);
speak(language);
if (hash !== null) go(Number(hash[1]));
stage.focus({ preventScroll: true });
})();
`;
