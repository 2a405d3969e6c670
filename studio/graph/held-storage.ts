import { bytesOf, fitParts, type HeldNumbers, partsOf } from "./held.ts";

/*
 * Numbers of large graphs in the browser's storage (IndexedDB), so that a page that is loaded again finds them: the last few, by the time of their use. Two
 * tabs share it, and each entry is named by its content, so that neither can spoil what the other keeps. Nothing here throws: where the storage is denied or
 * full the answer says so, and the numbers last as long as the page.
 */

const base = "chainrule-numbers";
/** At most so many nets of at most so many bytes together; the newest is kept in any case. */
const mostEntries = 8;
const mostBytes = 256 * 2 ** 20;
/** A storage that does not answer for this long is none. */
const patience = 5000;

interface Entry {
  readonly key: string;
  readonly bytes: number;
  readonly used: number;
}

/** Which of the entries stay beside the newest, latest first. */
export function staying(entries: readonly Entry[], newest: Entry): ReadonlySet<string> {
  const stays = new Set([newest.key]);
  let { bytes } = newest;
  for (const entry of [...entries].sort((a, b) => b.used - a.used)) {
    if (entry.key === newest.key) continue;
    bytes += entry.bytes;
    if (stays.size >= mostEntries || bytes > mostBytes) break;
    stays.add(entry.key);
  }
  return stays;
}

function answer<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((done, failed) => {
    request.onsuccess = () => done(request.result);
    request.onerror = () => failed(request.error);
  });
}

function ended(transaction: IDBTransaction): Promise<void> {
  return new Promise((done, failed) => {
    transaction.oncomplete = () => done();
    transaction.onabort = () => failed(transaction.error);
    transaction.onerror = () => failed(transaction.error);
  });
}

function open(): Promise<IDBDatabase> {
  const request = indexedDB.open(base, 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore("numbers", { keyPath: "key" });
    request.result.createObjectStore("index", { keyPath: "key" });
  };
  return new Promise((done, failed) => {
    const late = setTimeout(() => failed(new Error("no answer")), patience);
    request.onsuccess = () => {
      clearTimeout(late);
      // Another tab that clears the storage shall not wait for this one.
      request.result.onversionchange = () => request.result.close();
      done(request.result);
    };
    request.onerror = () => failed(request.error);
    request.onblocked = () => failed(new Error("blocked"));
  });
}

async function within<T>(work: (base: IDBDatabase) => Promise<T>): Promise<T> {
  const opened = await open();
  try {
    return await work(opened);
  } finally {
    opened.close();
  }
}

/** Puts numbers there, or notes that they are used; older ones give way. */
async function put(opened: IDBDatabase, numbers: HeldNumbers, alone: boolean): Promise<void> {
  const transaction = opened.transaction(["numbers", "index"], "readwrite");
  const done = ended(transaction);
  const [store, index] = [transaction.objectStore("numbers"), transaction.objectStore("index")];
  const entry: Entry = { key: numbers.key, bytes: bytesOf(numbers.tensors), used: Date.now() };
  const entries = (await answer(index.getAll())) as Entry[];
  const stays = alone ? new Set([entry.key]) : staying(entries, entry);
  for (const { key } of entries) {
    if (stays.has(key)) continue;
    store.delete(key);
    index.delete(key);
  }
  if (!entries.some(({ key }) => key === entry.key)) store.put(numbers);
  index.put(entry);
  await done;
}

/** Keeps numbers in the browser's storage. @returns whether it does */
export async function keepNumbers(numbers: HeldNumbers): Promise<boolean> {
  try {
    await within((opened) => put(opened, numbers, false));
    return true;
  } catch {
    try {
      // Full: perhaps it has room for the newest alone.
      await within((opened) => put(opened, numbers, true));
      return true;
    } catch {
      return false;
    }
  }
}

/** Numbers that the browser's storage has; null where it has none of this key, or none that fit. */
export async function findNumbers(key: string): Promise<HeldNumbers | null> {
  try {
    const found = (await within((opened) => answer(opened.transaction("numbers").objectStore("numbers").get(key)))) as
      | HeldNumbers
      | undefined;
    return found !== undefined && fitParts(found.tensors, partsOf(found.tensors)) ? found : null;
  } catch {
    return null;
  }
}
