/** The key of an event as a Latin keyboard names it: one that is set to Hangul gives ㄹ for the key of f. */
export function latinKey({ key, code }: { readonly key: string; readonly code: string }): string {
  return /^[\u3131-\u318e]$/.test(key) && code.startsWith("Key") ? code.slice(3).toLowerCase() : key;
}
