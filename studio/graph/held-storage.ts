import { bytesOf, fitParts, type HeldNumbers, type HeldTensor, partsOf } from "./held.ts";

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

/** What the index has of a net: the names of its variables too, each of which is kept for itself, so that none is copied for long. */
interface Listed extends Entry {
  readonly names: readonly string[];
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
  const request = indexedDB.open(base, 2);
  request.onupgradeneeded = () => {
    // What an older page has kept in another form gives way.
    for (const name of [...request.result.objectStoreNames]) request.result.deleteObjectStore(name);
    request.result.createObjectStore("numbers");
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
  try {
    await putInto(transaction, numbers, alone);
  } catch (error) {
    // Of a net that did not fit nothing stays, and what should have given way stays.
    done.catch(() => undefined);
    try {
      transaction.abort();
    } catch {
      // The browser has ended it already.
    }
    throw error;
  }
  await done;
}

async function putInto(transaction: IDBTransaction, numbers: HeldNumbers, alone: boolean): Promise<void> {
  const [store, index] = [transaction.objectStore("numbers"), transaction.objectStore("index")];
  const { key: newest, tensors } = numbers;
  const entry: Listed = { key: newest, bytes: bytesOf(tensors), used: Date.now(), names: Object.keys(tensors) };
  const entries = (await answer(index.getAll())) as Listed[];
  const stays = alone ? new Set([entry.key]) : staying(entries, entry);
  for (const { key, names } of entries) {
    if (stays.has(key)) continue;
    for (const name of names) store.delete([key, name]);
    index.delete(key);
  }
  index.put(entry);
  // One after another: each is copied in a turn of its own.
  if (!entries.some(({ key }) => key === newest))
    for (const [name, one] of Object.entries(tensors)) await answer(store.put(one, [newest, name]));
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
    return await within(async (opened) => {
      const transaction = opened.transaction(["numbers", "index"]);
      const entry = (await answer(transaction.objectStore("index").get(key))) as Listed | undefined;
      if (entry === undefined) return null;
      const tensors: Record<string, HeldTensor> = {};
      for (const name of entry.names) tensors[name] = (await answer(transaction.objectStore("numbers").get([key, name]))) as HeldTensor;
      return fitParts(tensors, partsOf(tensors)) ? { key, tensors } : null;
    });
  } catch {
    return null;
  }
}
