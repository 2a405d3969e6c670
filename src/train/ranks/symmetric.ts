const same: WeakSet<object> = /* @__PURE__ */ new WeakSet();

/** An error that all ranks throw at the same place: no rank waits for another. */
export function alike<E extends object>(error: E): E {
  same.add(error);
  return error;
}

/** Whether all ranks throw this error. */
export function isAlike(error: unknown): boolean {
  for (let e = error; typeof e === "object" && e !== null; e = (e as { readonly cause?: unknown }).cause) if (same.has(e)) return true;
  return false;
}
