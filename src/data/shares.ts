/**
 * Splits rows in two, keeping their order: the first part has `share` of them. With `values` (one for each row number) every value is shared out
 * alike, to within one row; the rows left over by rounding go where they are missed most, so that the first part's size is right as a whole.
 */
export function shares(order: Int32Array, share: number, values: ArrayLike<number> | null): readonly [Int32Array, Int32Array] {
  const total = Math.round(order.length * share);
  if (values === null) return [order.slice(0, total), order.slice(total)];
  const counts = new Map<number, number>();
  for (const row of order) counts.set(values[row]!, (counts.get(values[row]!) ?? 0) + 1);
  const quotas = [...counts].map(([value, count]) => ({ value, whole: Math.floor(count * share), rest: (count * share) % 1 }));
  let left = total - quotas.reduce((n, { whole }) => n + whole, 0);
  const room = new Map<number, number>();
  // The sort is stable, so equal remainders go by first appearance.
  for (const { value, whole } of quotas.sort((a, b) => b.rest - a.rest)) room.set(value, whole + (left-- > 0 ? 1 : 0));
  const first = new Int32Array(total);
  const second = new Int32Array(order.length - total);
  let i = 0;
  let j = 0;
  for (const row of order) {
    const free = room.get(values[row]!)!;
    if (free > 0) first[i++] = row;
    else second[j++] = row;
    room.set(values[row]!, free - 1);
  }
  return [first, second];
}
