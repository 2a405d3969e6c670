/** Names longer than this get no suggestion: nobody mistypes one letter in fifty. */
const longest = 40;
/** No more candidates than this are looked at. */
const most = 2000;

/**
 * The candidate that a mistyped name most likely meant, or undefined. Same letters in another case come first, then the fewest edits
 * (insert, delete, replace, swap of neighbours), at most a third of the letters.
 */
export function nearestName(name: string, candidates: Iterable<string>): string | undefined {
  if (name.length > longest) return undefined;
  const lower = name.toLowerCase();
  let best: string | undefined;
  let fewest = Math.max(1, Math.floor(name.length / 3)) + 1;
  let seen = 0;
  for (const candidate of candidates) {
    if (++seen > most) break;
    if (candidate.length > longest || Math.abs(candidate.length - name.length) >= fewest) continue;
    const edits = candidate.toLowerCase() === lower ? 0 : editDistance(lower, candidate.toLowerCase());
    // A single letter is one edit from every other single letter, which suggests nothing.
    if (edits < fewest && edits < Math.max(name.length, candidate.length)) {
      fewest = edits;
      best = candidate;
    }
  }
  return best;
}

/** Optimal string alignment distance (Damerau 1964, Levenshtein 1966): three rows of the dynamic programme. */
export function editDistance(a: string, b: string): number {
  let older: number[] = [];
  let old = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a.charCodeAt(i - 1) === b.charCodeAt(j - 1);
      let cost = Math.min(old[j]! + 1, row[j - 1]! + 1, old[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a.charCodeAt(i - 1) === b.charCodeAt(j - 2) && a.charCodeAt(i - 2) === b.charCodeAt(j - 1))
        cost = Math.min(cost, older[j - 2]! + 1);
      row.push(cost);
    }
    older = old;
    old = row;
  }
  return old[b.length]!;
}
