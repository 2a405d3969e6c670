import { change, state } from "../state/store.ts";
import { limits, type TrainState } from "./state.ts";

/** Changes some of the settings; those of one `kind` in quick succession are one step of undo. */
export function set(part: Partial<TrainState>, kind = ""): void {
  change("train", { ...state.value.train, ...part }, kind);
}

export function addLayer(): void {
  const { layers } = state.value.train;
  if (layers.length < limits.layers) set({ layers: [...layers, Math.min(layers.at(-1) ?? 4, 8)] });
}

export function removeLayer(): void {
  const { layers } = state.value.train;
  if (layers.length > 0) set({ layers: layers.slice(0, -1) });
}

export function setUnits(layer: number, units: number): void {
  const { layers } = state.value.train;
  if (units < 1 || units > limits.units) return;
  set({ layers: layers.map((n, i) => (i === layer ? units : n)) }, `layer ${layer}`);
}
