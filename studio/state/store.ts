import { computed, type ReadonlySignal, signal } from "@preact/signals";
import { packState, type Unpacked, unpackState } from "./address.ts";
import { type AppState, type Language, languages, oneOf, readState, type Theme, themes } from "./slices.ts";

/** What the reader prefers, kept on this machine and not in the address: an address opens in the language of who opens it. */
export const language = signal<Language>("en");
export const theme = signal<Theme>("system");
const systemIsDark = signal(false);
/** The colours that the page has now: the reader's, or the system's, which may change while the page is open. */
export const shownTheme: ReadonlySignal<Exclude<Theme, "system">> = computed(() =>
  theme.value === "system" ? (systemIsDark.value ? "dark" : "light") : theme.value,
);

/** The page's one state. Change it through `change`, so that it can be undone and is kept. */
export const state = signal<AppState>(readState(undefined));
/** A sentence that the page shows and a screen reader reads; the latest one. */
export const notice = signal<"garbled" | "garbledKept" | "version" | "storage" | "long" | null>(null);

const past = signal<readonly AppState[]>([]);
const future = signal<readonly AppState[]>([]);
export const canUndo: ReadonlySignal<boolean> = computed(() => past.value.length > 0);
export const canRedo: ReadonlySignal<boolean> = computed(() => future.value.length > 0);

/** Remembered for undo: enough for an hour of work, too few to weigh. */
const depth = 200;
let lastKind = "";
let lastAt = 0;

/**
 * Changes one tab's slice. Changes of one `kind` in quick succession (a slider that moves, a word that is typed) are one step of undo; without a
 * kind the change is a step of its own; `null` is for what is no step at all (where the scrubber stands while it plays).
 */
export function change<K extends keyof AppState>(slice: K, value: AppState[K], kind: string | null = ""): void {
  const now = performance.now();
  const joins = kind === null || (kind !== "" && kind === lastKind && now - lastAt < 1000);
  if (!joins) past.value = [...past.value.slice(1 - depth), state.value];
  if (kind !== null) {
    lastKind = kind;
    lastAt = now;
    future.value = [];
  }
  state.value = { ...state.value, [slice]: value };
  keepSoon();
}

export function undo(): void {
  move(past, future);
}

export function redo(): void {
  move(future, past);
}

function move(from: typeof past, to: typeof past): void {
  const next = from.value.at(-1);
  if (next === undefined) return;
  from.value = from.value.slice(0, -1);
  to.value = [...to.value, state.value];
  state.value = next;
  lastKind = "";
  keepSoon();
}

/** The storage of this page; null where the reader denies it. */
function storage(): Storage | null {
  try {
    return localStorage;
  } catch {
    return null;
  }
}

let isToldOfStorage = false;

function keep(key: string, text: string): void {
  try {
    const kept = storage();
    if (kept === null) throw new Error("denied");
    kept.setItem(`chainrule.${key}`, text);
  } catch {
    // Full or denied: the address still has it. Told once, not at every change.
    if (isToldOfStorage) return;
    isToldOfStorage = true;
    notice.value = "storage";
  }
}

let timer: ReturnType<typeof setTimeout> | undefined;

function keepSoon(): void {
  clearTimeout(timer);
  timer = setTimeout(() => void keepNow(), 300);
}

let written = "";
/** Whether what is on the page is more than an address takes, of which the page has told. */
export const isLong = signal(false);

/** Writes an address's hash. @returns whether the browser has taken it; each has a length beyond which it does not */
function isTaken(hash: string): boolean {
  try {
    history.replaceState(null, "", `#${hash}`);
  } catch {
    // Too long, or too many in a short time: then a later one follows.
    return hash.length < 100_000;
  }
  return location.hash.length === hash.length + 1;
}

/** Writes the state into the address and the autosave. */
export async function keepNow(): Promise<void> {
  const now = state.value;
  const packed = await packState(now);
  // Packing takes a moment, in which an address may have been pasted; what was changed then is written by its own turn.
  if (state.value !== now) return keepSoon();
  const fits = packed !== "" && isTaken(packed);
  if (!fits && !isLong.peek()) notice.value = "long";
  if (fits && notice.peek() === "long") notice.value = null;
  isLong.value = !fits;
  if (!fits) return;
  written = packed;
  keep("state", written);
}

/** The address of the page without the language that it was asked for in: it opens in the language of who opens it. */
export function addressForAll(): string {
  const address = new URL(location.href);
  address.searchParams.delete("lang");
  return address.href;
}

/** Sets the language for this page and the next time: the address no longer asks for another. */
export function setLanguage(to: Language): void {
  language.value = to;
  keep("language", to);
  history.replaceState(null, "", addressForAll());
}

/** Sets the colours for this page and the next time. */
export function setTheme(to: Theme): void {
  theme.value = to;
  keep("theme", to);
}

/** Begins: from the address, else from the autosave, else anew; and listens for an address pasted into an open page. */
export async function begin(): Promise<void> {
  const asked = new URLSearchParams(location.search).get("lang");
  const own = navigator.language.startsWith("ko") ? "ko" : "en";
  language.value = oneOf(languages, asked ?? storage()?.getItem("chainrule.language"), own);
  theme.value = oneOf(themes, storage()?.getItem("chainrule.theme"), "system");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  systemIsDark.value = dark.matches;
  dark.addEventListener("change", ({ matches }) => (systemIsDark.value = matches));
  const kept = storage()?.getItem("chainrule.state") ?? "";
  const hash = location.hash.slice(1);
  const { state: read, trouble } = await readHash(hash === "" ? kept : hash);
  state.value = read;
  notice.value = trouble;
  if (trouble === "garbled" && hash !== "" && kept !== "") {
    const last = await readHash(kept);
    if (last.trouble !== "garbled") {
      state.value = last.state;
      notice.value = "garbledKept";
    }
  }
  written = hash;
  addEventListener("hashchange", () => void takeAddress(location.hash.slice(1)));
}

async function readHash(hash: string): Promise<Unpacked> {
  return hash === "" ? { state: readState(undefined), trouble: null } : unpackState(hash);
}

/** An address that is pasted into the open page, or gone back to: it can be undone. One that cannot be read changes nothing. */
async function takeAddress(hash: string): Promise<void> {
  if (hash === "" || hash === written) return;
  clearTimeout(timer);
  const { state: read, trouble } = await unpackState(hash);
  if (hash !== location.hash.slice(1)) return;
  if (trouble === "garbled") {
    notice.value = "garbledKept";
    await keepNow();
    return;
  }
  notice.value = trouble;
  written = hash;
  past.value = [...past.value.slice(1 - depth), state.value];
  future.value = [];
  lastKind = "";
  state.value = read;
}
