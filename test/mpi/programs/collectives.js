// Every operation on every dtype against plain arrays: each rank knows what all the others give. Prints the faults, and how much was compared.
import { tensor } from "../../../dist/index.js";
import { mpi } from "../../../dist/mpi.js";
import { wasm } from "../../../dist/wasm.js";

const ranks = mpi();
const { rank, size } = ranks;
const everyone = Array.from({ length: size }, (_, i) => i);
const dtypes = ["f64", "f32", "f16", "bf16", "i64", "i32", "i16", "i8", "u64", "u32", "u16", "u8", "bool"];
const faults = [];
let compared = 0;

function same(what, got, wanted) {
  compared++;
  const list = [...got];
  if (list.length !== wanted.length || list.some((x, i) => x !== wanted[i]))
    faults.push(`${what}: ${list.slice(0, 9)} and not ${wanted.slice(0, 9)}`);
}

/** What rank `r` gives: small whole numbers, so that all sums are exact in every dtype. */
const given = (r, n, dtype) => Array.from({ length: n }, (_, i) => (dtype === "bool" ? (i + r) % 3 === 0 : ((r + 2) * (i + 1)) % 5) | 0);
const of = (values, dtype, shape = [values.length]) => {
  const t = tensor(values.length === 0 ? new Float64Array(0) : values, dtype);
  return shape.length === 1 ? t : { ...t, type: { ...t.type, shape } };
};
const folds = {
  sum: (a, b) => a + b,
  prod: (a, b) => a * b,
  max: (a, b) => Math.max(a, b),
  min: (a, b) => Math.min(a, b),
};
const folded = (op, n, dtype) => {
  const all = everyone.map((r) => given(r, n, dtype));
  return all[0].map((_, i) => all.map((a) => a[i]).reduce(folds[op]));
};

for (const dtype of dtypes) {
  for (const op of dtype === "bool" ? ["max", "min"] : Object.keys(folds))
    for (const n of [1, 7, 1000]) {
      const x = of(given(rank, n, dtype), dtype);
      const wanted = folded(op, n, dtype);
      same(`allReduce ${op} ${dtype}`, (await ranks.allReduce(x, { op })).data, wanted);
      same(`the operand of allReduce ${dtype}`, x.data, given(rank, n, dtype));
      const into = of(given(rank, n, dtype), dtype);
      const back = await ranks.allReduce(into, { op, into });
      same(`allReduce in place ${op} ${dtype}`, into.data, wanted);
      same("what it gives is its memory", [Number(back.data === into.data)], [1]);
    }
  for (let root = 0; root < size; root++)
    same(`broadcast ${dtype} of ${root}`, (await ranks.broadcast(of(given(rank, 5, dtype), dtype), { root })).data, given(root, 5, dtype));
  // Uneven rows, of which some ranks have none.
  const rows = everyone.map((r) => (r * 2) % 3);
  const own = of(given(rank, rows[rank] * 2, dtype), dtype, [rows[rank], 2]);
  const all = everyone.flatMap((r) => given(r, rows[r] * 2, dtype));
  same(`allGather ${dtype}`, (await ranks.allGather(own)).data, all);
  same(`allGather with rows ${dtype}`, (await ranks.allGather(own, { rows })).data, all);
  const n = 2 * size + 1;
  const op = dtype === "bool" ? "max" : "sum";
  const total = folded(op, n * 3, dtype);
  const whole = of(given(rank, n * 3, dtype), dtype, [n, 3]);
  const even = everyone.map((r) => (r === 0 ? 3 : 2));
  const from = even.slice(0, rank).reduce((a, b) => a + b, 0);
  same(`reduceScatter ${dtype}`, (await ranks.reduceScatter(whole, { op })).data, total.slice(from * 3, (from + even[rank]) * 3));
  const last = everyone.map((r) => (r === size - 1 ? n : 0));
  const mine = await ranks.reduceScatter(whole, { op, rows: last });
  same(`reduceScatter to the last ${dtype}`, mine.data, rank === size - 1 ? total : []);
  await ranks.barrier();
}

// Memory of engines: what is summed is where a program reads it, without a copy.
for (const engine of [wasm(), wasm({ threads: 2 })])
  for (const dtype of dtypes) {
    const own = engine.tensor({ kind: "type", dtype, shape: [40] });
    own.data.set(given(rank, 40, dtype));
    const op = dtype === "bool" ? "max" : "sum";
    await ranks.allReduce(own, { op, into: own });
    same(`engine memory ${dtype}`, own.data, folded(op, 40, dtype));
  }

// Several at once, on memory of an engine that grows meanwhile.
const engine = wasm();
const parts = Array.from({ length: 5 }, (_, k) => {
  const t = engine.tensor({ kind: "type", dtype: "f32", shape: [100_000] });
  t.data.fill(rank + k);
  return t;
});
const begun = parts.map((t) => ranks.startAllReduce(t));
engine.tensor({ kind: "type", dtype: "f32", shape: [10_000_000] });
for (const p of begun) await p.wait();
for (const [k, t] of parts.entries()) {
  const wanted = everyone.reduce((a, r) => a + r + k, 0);
  same("begun together", [t.data[0], t.data[99_999]], [wanted, wanted]);
  // Where it lies was found out before the memory grew.
  await ranks.startAllReduce(t).wait();
  same("summed again", [t.data[0], t.data[99_999]], [size * wanted, size * wanted]);
}

// Of every way in which sums are made: around the limits between them, and with parts that are no whole lines of the cache.
for (const [dtype, bytes] of [
  ["f64", 8],
  ["f32", 4],
  ["i16", 2],
  ["u8", 1],
])
  for (const n of [1, 3999, 4001, 16_384 * size - 1, 16_384 * size + 3, 300_001].map((b) => Math.ceil(b / bytes))) {
    const t = of(given(rank, n, dtype), dtype);
    await ranks.startAllReduce(t).wait();
    same(`a sum of ${n} ${dtype}`, t.data, folded("sum", n, dtype));
  }

// Waited for in another order on each rank: each goes on while another is waited for.
const several = [10, 5000, 70_000, 200, 90_000].map((n) => of(given(rank, n, "f32"), "f32"));
const going = several.map((t) => ranks.startAllReduce(t));
for (const i of rank % 2 === 0 ? [4, 2, 0, 1, 3] : [0, 1, 2, 3, 4]) await going[i].wait();
for (const t of several) same("waited for in another order", t.data, folded("sum", t.data.length, "f32"));

// Of numbers that round, bit by bit the same on all ranks; between two ranks also which of two that are no numbers comes of it.
for (const n of [10, 1000, 40_000]) {
  const rounding = of(
    Array.from({ length: n }, (_, i) => Math.sin(i + 1) * 10 ** (rank - 1)),
    "f32",
  );
  if (size === 2) new Uint32Array(rounding.data.buffer, rounding.data.byteOffset, n)[n - 1] = rank % 2 === 0 ? 0x7fc00001 : 0xffc00002;
  await ranks.startAllReduce(rounding).wait();
  const bits = of([...new Uint32Array(rounding.data.buffer, rounding.data.byteOffset, n)], "u32");
  const first = await ranks.broadcast(of([...bits.data], "u32"));
  same("bits of a sum", bits.data, [...first.data]);
}

// In the middle of others that were begun in another order on each rank.
const held = tensor(Float64Array.of(rank, 1));
const first = rank % 2 === 0 ? ranks.startAllReduce(held) : null;
const now = ranks.sumNow(Float64Array.of(1, rank, 0.5), 7);
await (first ?? ranks.startAllReduce(held)).wait();
const ofAll = everyone.reduce((a, b) => a + b, 0);
same("a sum at once", now, [size, ofAll, size / 2]);
same("what was begun before or after it", held.data, [ofAll, size]);
same("a sum of nothing at once", ranks.sumNow(new Float64Array(0), 1), []);

const rows = everyone.map((r) => r + 1);
const sum = rows.reduce((a, b) => a + b, 0);
const x = tensor(Float32Array.from({ length: sum }, (_, i) => i + rank));
await ranks.startReduceScatter(x, rows).wait();
for (let i = 0; i < sum; i++)
  if (i < sum - rows.slice(rank).reduce((a, b) => a + b, 0) || i >= rows.slice(0, rank + 1).reduce((a, b) => a + b, 0)) x.data[i] = -1;
await ranks.startAllGather(x, rows).wait();
same(
  "reduceScatter and allGather in place",
  x.data,
  Array.from({ length: sum }, (_, i) => everyone.reduce((a, r) => a + i + r, 0)),
);

// Refusals are made before anything is sent, so they may differ between ranks.
const refusal = async (task) => {
  try {
    await task();
    return "nothing";
  } catch (error) {
    return `${error.name}: ${error.message}`;
  }
};
const scalar = tensor(1);
const refusals = [
  await refusal(() => ranks.allReduce(scalar, { op: "mean" })),
  await refusal(() => ranks.allReduce(of([1, 0], "bool"))),
  await refusal(() => ranks.broadcast(scalar, { root: size })),
  await refusal(() => ranks.allGather(scalar)),
  await refusal(() => ranks.reduceScatter(scalar)),
  await refusal(() => ranks.allReduce(scalar, { into: tensor([1, 2]) })),
  await refusal(() => ranks.reduceScatter(tensor([1, 2, 3]), { rows: [1] })),
  await refusal(() => ranks.allGather(tensor([1, 2, 3]), { rows: everyone.map(() => 1) })),
];
refusals.push(await refusal(async () => ranks.sumNow(Float64Array.of(1), rank === 0 ? 2 : 1)));
await ranks.finalize();
refusals.push(await refusal(() => ranks.barrier()));
console.log(
  JSON.stringify({ rank, size, family: ranks.family, library: ranks.library, names: ranks.names.length, compared, faults, refusals }),
);
