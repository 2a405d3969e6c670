import { computed, type ReadonlySignal, signal } from "@preact/signals";
import { change, state } from "../state/store.ts";
import { defaultImport, type FileMark, type ImportState } from "./state.ts";

/** The file that is open. */
export const openedFile = signal<FileMark | null>(null);

export const isSameFile = (a: FileMark | null, b: FileMark | null): boolean => a?.name === b?.name && a?.mark === b?.mark;

/** How the open file is shown. What the address says of another file is not about this one. */
export const view: ReadonlySignal<ImportState> = computed(() => {
  const { import: kept } = state.value;
  return isSameFile(kept.file, openedFile.value) ? kept : { ...defaultImport, depth: kept.depth, file: openedFile.value };
});

/** The file that the address, or an undone step, shows a view of, where it is not the one that is open. */
export const wantedFile: ReadonlySignal<FileMark | null> = computed(() => {
  const { file } = state.value.import;
  return file === null || isSameFile(file, openedFile.value) ? null : file;
});

/** Changes how the open file is shown. @param kind as in `change` */
export function set(part: Partial<ImportState>, kind: string | null = ""): void {
  change("import", { ...view.peek(), ...part }, kind);
}

const ends = 65_536;

/** Tells a file from others: its name, its size and a sum of its first and last bytes (FNV-1a, twice 32 bits). It keeps nobody from making two alike. */
export async function markOf(file: File): Promise<FileMark> {
  const bytes = [file.slice(0, ends), file.slice(Math.max(ends, file.size - ends))];
  let [a, b] = [0x811c9dc5, 0x01000193];
  for (const part of bytes)
    for (const byte of new Uint8Array(await part.arrayBuffer())) {
      a = Math.imul(a ^ byte, 0x01000193);
      b = Math.imul(b ^ byte, 0x85ebca6b) + 1;
    }
  const hex = (n: number): string => (n >>> 0).toString(16).padStart(8, "0");
  return { name: file.name, mark: `${file.size.toString(36)}-${hex(a)}${hex(b)}` };
}
