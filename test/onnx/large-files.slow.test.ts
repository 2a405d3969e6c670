import { mkdtempSync, openAsBlob, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { rangesOfFile } from "../../src/files/ranges.ts";
import { add, f32, graph, tensor, toArray } from "../../src/index.ts";
import { onnx } from "../../src/onnx/onnx.ts";
import { graphShape, type ModelMessage, modelShape, type TensorMessage, tensorShape } from "../../src/onnx/schema.ts";
import { type Message, readMessage, writeMessage } from "../../src/onnx/wire.ts";
import { piecesOfModel } from "../../src/onnx/write-graph.ts";
import { attribute, modelBytes, node, port, weight } from "./build-model.ts";

const gigabytes = 1e9;
let folder = "";
let asked = 0;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "chainrule-large-"));
  // What is asked of the disk is counted where all reading passes.
  const any = await open(folder, "r");
  const handle = Object.getPrototypeOf(any) as FileHandle;
  const read = handle.read as (...args: unknown[]) => unknown;
  vi.spyOn(handle, "read").mockImplementation(function (this: FileHandle, ...args: unknown[]) {
    asked += args[2] as number;
    return read.apply(this, args);
  } as never);
  await any.close();
});
afterAll(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  asked = 0;
});

const path = (name: string): string => join(folder, name);

/** Writes a file that is all holes but for some bytes. */
async function sparse(name: string, size: number, pieces: readonly (readonly [at: number, bytes: Uint8Array])[]): Promise<string> {
  writeFileSync(path(name), "");
  truncateSync(path(name), size);
  const file = await open(path(name), "r+");
  for (const [at, bytes] of pieces) await file.write(bytes, 0, bytes.length, at);
  await file.close();
  return path(name);
}

const floats = (...list: number[]): Uint8Array => new Uint8Array(new Float32Array(list).buffer);

function elsewhere(name: string, dims: readonly number[], entries: Readonly<Record<string, string | number>>): TensorMessage {
  const external_data = Object.entries(entries).map(([key, value]) => ({ key, value: String(value) }));
  return { name, dims, data_type: 1, data_location: 1, external_data };
}

const nodes = [node("Add", ["x", "small"], ["y"]), node("Gather", ["huge", "x"], ["z"])];
const outputs = [port("y"), port("z")];

describe("weights of 3 GB in a file beside the model", () => {
  const at = 2.5 * gigabytes;
  const parts = (location: string) =>
    modelBytes({
      nodes,
      outputs,
      weights: [
        elsewhere("huge", [7e8], { location, offset: 0, length: 2.8e9 }),
        elsewhere("small", [2], { location, offset: at, length: 8 }),
      ],
    });

  test("are read where they are named and asked for, and nowhere else", async () => {
    await sparse("weights.bin", 3 * gigabytes, [[at, floats(1, 2)]]);
    writeFileSync(path("model.onnx"), parts("weights.bin"));
    const model = await onnx.read(path("model.onnx"), { outputs: ["y"] });
    expect(toArray(model.params["small"]!)).toEqual([1, 2]);
    expect(Object.keys(model.params)).toEqual(["small"]);
    expect(asked).toBeLessThan(2000);
  });

  test("are read from files that a user chose in a page", async () => {
    const chosen = await openAsBlob(await sparse("chosen.bin", 3 * gigabytes, [[at, floats(3, 4)]]));
    const model = await onnx.read(new Blob([parts("chosen.bin") as Uint8Array<ArrayBuffer>]), {
      outputs: ["y"],
      external: { "chosen.bin": chosen },
    });
    expect(toArray(model.params["small"]!)).toEqual([3, 4]);
  });

  test("have to fill the shape before they are read", async () => {
    await sparse("hostile.bin", 3 * gigabytes, []);
    writeFileSync(
      path("hostile.onnx"),
      modelBytes({ nodes, outputs, weights: [weight("huge", [1], [1]), elsewhere("small", [2], { location: "hostile.bin" })] }),
    );
    await expect(onnx.read(path("hostile.onnx"))).rejects.toThrow("small is f32[2], which takes 8 bytes, and has 3000000000");
    expect(asked).toBeLessThan(2000);
  });

  test("that were not read are named when the model is written, and read when it is saved", async () => {
    const location = "rest.bin";
    writeFileSync(path(location), floats(1, 2, 3, 4));
    const weights = [elsewhere("huge", [2], { location, offset: 8 }), elsewhere("small", [2], { location, offset: 0, length: 8 })];
    writeFileSync(
      path("rest.onnx"),
      modelBytes({ nodes, outputs, weights: [{ ...weights[0]!, external_data: [...weights[0]!.external_data!] }, weights[1]!] }),
    );
    const model = await onnx.read(path("rest.onnx"), { outputs: ["y"] });
    expect(() => onnx.write(model)).toThrow(
      "onnx.write: the data of huge was not read, because the outputs that were asked for do not need it; onnx.save reads it",
    );
    await onnx.save(path("rest-saved.onnx"), model.with({ small: tensor([5, 6], "f32") }));
    const again = await onnx.read(path("rest-saved.onnx"));
    expect([toArray(again.params["huge"]!), toArray(again.params["small"]!)]).toEqual([
      [3, 4],
      [5, 6],
    ]);
  });
});

/** A model whose first weight has `count` floats that are holes in the file, and whose second is small. */
async function modelWithHoles(name: string, count: number): Promise<string> {
  const header = (field: number, length: number): Uint8Array => {
    const tag = writeMessage({ a: length }, { name: "", fields: { [field]: { name: "a", kind: "int" } } });
    tag[0] = (field << 3) | 2;
    return tag;
  };
  const bytes = (t: TensorMessage): Uint8Array => writeMessage(t as Message, tensorShape);
  const graphOf = (weights: readonly TensorMessage[]): Uint8Array =>
    writeMessage((readMessage(modelBytes({ nodes, outputs, weights }), modelShape) as ModelMessage).graph as Message, graphShape);
  const rest = graphOf([{ name: "small", dims: [2], data_type: 1, raw_data: floats(7, 8) }]);
  const huge = bytes({ name: "huge", dims: [count], data_type: 1 });
  const raw = header(9, 4 * count);
  const tensorHeader = header(5, huge.length + raw.length + 4 * count);
  const graphLength = rest.length + tensorHeader.length + huge.length + raw.length + 4 * count;
  const before = [Uint8Array.from([8, 9]), header(7, graphLength), tensorHeader, huge, raw].flatMap((b) => [...b]);
  const opset = writeMessage({ opset_import: [{ domain: "", version: 18 }] } as Message, modelShape);
  return sparse(name, before.length + 4 * count + rest.length + opset.length, [
    [0, Uint8Array.from(before)],
    [before.length + 4 * count, rest],
    [before.length + 4 * count + rest.length, opset],
  ]);
}

describe("a large model file", () => {
  test("is read but for the weights that nobody asked for", async () => {
    const file = await modelWithHoles("holes.onnx", 4.5e8);
    expect(statSync(file).size).toBeGreaterThan(1.8 * gigabytes);
    const model = await onnx.read(file, { outputs: ["y"] });
    expect(toArray(model.params["small"]!)).toEqual([7, 8]);
    expect(asked).toBeLessThan(2 ** 21);
    const chosen = await onnx.read(await openAsBlob(file), { outputs: ["y"] });
    expect(toArray(chosen.params["small"]!)).toEqual([7, 8]);
  });

  test("gives its weights in memory of their own, and its bytes again", async () => {
    const count = 2 ** 22;
    const numbers = Float32Array.from({ length: count }, (_, i) => Math.fround(Math.sin(i)));
    const weights = [
      { name: "huge", dims: [count], data_type: 1, raw_data: new Uint8Array(numbers.buffer) },
      weight("small", [2], [1, 2]),
      { name: "half", dims: [2 ** 16], data_type: 10, raw_data: new Uint8Array(2 ** 17).fill(7) },
    ];
    const bytes = modelBytes({ nodes: [...nodes, node("Neg", ["half"], ["h"])], outputs: [...outputs, port("h", [2 ** 16], 10)], weights });
    writeFileSync(path("own.onnx"), bytes);
    const model = await onnx.read(path("own.onnx"));
    expect(Buffer.compare(new Uint8Array((model.params["huge"]!.data as Float32Array).buffer), weights[0]!.raw_data!)).toBe(0);
    expect(model.params["huge"]!.data.buffer.byteLength).toBe(4 * count);
    expect(Buffer.compare(onnx.write(model), onnx.write(await onnx.read(bytes)))).toBe(0);
    expect(Buffer.compare(onnx.write(model), bytes)).toBe(0);
    const partly = await onnx.read(bytes, { outputs: ["y"] });
    expect(Buffer.compare(onnx.write(partly), bytes)).toBe(0);
  });

  test("that was written anew in the meantime is refused", async () => {
    const file = await modelWithHoles("changing.onnx", 5e6);
    const model = await onnx.read(file, { outputs: ["y"] });
    truncateSync(file, 1e6);
    await expect(onnx.save(path("never.onnx"), model)).rejects.toThrow(
      "onnx: the file was written anew since it was opened; read it again",
    );
  });

  test.each([
    ["3 GB of nothing", 3 * gigabytes, [], "has 3000000000 bytes; a model file has less than 2 GiB"],
    ["2 GB of nothing", 2 * gigabytes, [], "at byte 0, a field has number 0"],
    [
      "2 GB after a length beyond it",
      2 * gigabytes,
      [0x3a, 0xff, 0xff, 0xff, 0xff, 0x0f],
      "4294967295 bytes are announced and 1999999994 are left",
    ],
    ["2 GB after a number without end", 2 * gigabytes, Array(12).fill(0xff), "at byte 0, a number is longer than 64 bits"],
    ["2 GB after a wire type of groups", 2 * gigabytes, [0x3b], "wire type 3 is none that ONNX uses"],
    ["2 GB without a graph", 2 * gigabytes, [0x62, 0xfa, 0xa7, 0xd6, 0xb9, 0x07], "this is no ONNX model: it has no graph"],
  ] as const)("of %s is refused at once", async (_, size, head, message) => {
    await sparse("garbage.onnx", size, [[0, Uint8Array.from(head)]]);
    await expect(onnx.read(path("garbage.onnx"))).rejects.toThrow(message);
    expect(asked).toBeLessThan(2 ** 20);
  });

  test("is refused wherever it is cut, as one in memory is", async () => {
    const file = await modelWithHoles("cut.onnx", 5e6);
    const bytes = readFileSync(file);
    const outcome = (source: Blob | Uint8Array): Promise<string> =>
      onnx.read(source).then(
        () => "read",
        (error: Error) => (error.message.startsWith("onnx: ") ? "refused" : error.message),
      );
    const cuts = fc.oneof(
      fc.integer({ min: 0, max: 60 }),
      fc.integer({ min: 1, max: 400 }).map((k) => bytes.length - k),
    );
    await fc.assert(
      fc.asyncProperty(cuts, async (cut) => {
        // What is cut early is filled with zeros, to be large enough to be read in parts.
        const part = cut < 2 ** 24 ? Buffer.concat([bytes.subarray(0, cut), new Uint8Array(2 ** 24 - cut)]) : bytes.subarray(0, cut);
        expect(await outcome(new Blob([part]))).toBe(await outcome(new Uint8Array(part)));
      }),
      { seed: 7, numRuns: 12 },
    );
  });
});

describe("reading by ranges", () => {
  test("says that a file ended, cannot be read, or does not fit memory", async () => {
    const file = (bytesRead: number) => ({ read: () => Promise.resolve({ bytesRead }) }) as never;
    await expect(rangesOfFile(file(0), 10).read(0, 5)).rejects.toThrow("it ended while it was read");
    await expect(rangesOfFile(file(0), 2 ** 50).read(0, 2 ** 50)).rejects.toThrow("1125899906842624 bytes do not fit memory");
    const broken = { read: () => Promise.reject(Object.assign(new Error("x"), { code: "EACCES" })) } as never;
    await expect(rangesOfFile(broken, 10).read(0, 5)).rejects.toThrow("cannot read it: permission is denied");
    const gone = new Blob([new Uint8Array(10)]);
    Object.defineProperty(gone, "slice", { value: () => ({ arrayBuffer: () => Promise.reject(new Error("The file changed")) }) });
    await expect(onnx.read(gone)).rejects.toThrow("cannot read bytes 0 to 10 of it: The file changed");
  });
});

describe("saving weights beside the model", () => {
  const large = Float32Array.from({ length: 3000 }, (_, i) => i / 7);
  const model = () =>
    onnx.read(
      modelBytes({
        nodes,
        outputs,
        weights: [
          { name: "huge", dims: [3000], data_type: 1, raw_data: new Uint8Array(large.buffer) },
          weight("small", [2], [1, 2]),
          { name: "more", dims: [300], data_type: 1, raw_data: new Uint8Array(1200) },
        ],
      }),
    );

  test.each([true, 1000])("is done when it is asked for (%s), and read again", async (external) => {
    await onnx.save(path("two.onnx"), await model(), { external });
    expect(statSync(path("two.onnx")).size).toBeLessThan(1000);
    expect(statSync(path("two.onnx.data")).size).toBe(12000 + 32 + 1200);
    const again = await onnx.read(path("two.onnx"));
    expect(String(again.params["huge"]!.data)).toBe(String(large));
    expect(toArray(again.params["small"]!)).toEqual([1, 2]);
    // Data that stood beside is inside again unless it is asked for.
    await onnx.save(path("one.onnx"), again);
    expect(String((await onnx.read(readFileSync(path("one.onnx")))).params["huge"]!.data)).toBe(String(large));
  });

  test("is not done for a model that fits, and is for a graph too", async () => {
    await onnx.save(path("fits.onnx"), await model());
    await onnx.save(path("fits.onnx"), await model(), { external: 1e6 });
    await onnx.save(path("fits.onnx"), await model(), { external: false });
    expect(() => statSync(path("fits.onnx.data"))).toThrow();
    const g = graph({ x: f32(3000) }, ({ x }) => ({ y: add(x, tensor(large, f32(3000))) }));
    await onnx.save(path("graph.onnx"), g, { external: true });
    expect(statSync(path("graph.onnx.data")).size).toBe(12000);
    const again = await onnx.read(path("graph.onnx"));
    expect(again.apply(again.params, { x: new Float32Array(3000) })["y"]!.type.shape).toEqual([3000]);
  });

  test("keeps the data of constants inside nodes", async () => {
    writeFileSync(path("inner.bin"), floats(5, 6));
    const inner = { ...elsewhere("v", [2], { location: "inner.bin" }) };
    const bytes = modelBytes({
      nodes: [{ ...node("Constant", [], ["c"]), attribute: [attribute("value", inner)] }, node("Add", ["x", "c"], ["y"])],
    });
    writeFileSync(path("inner.onnx"), bytes);
    const again = await onnx.read(onnx.write(await onnx.read(path("inner.onnx"))));
    expect(toArray(again.apply({}, { x: tensor([1, 1], "f32") })["y"]!)).toEqual([6, 7]);
  });

  test("is what 2 GiB in one file need", () => {
    const raw_data = new Uint8Array(1);
    Object.defineProperty(raw_data, "length", { value: 2 ** 31 });
    expect(() => piecesOfModel({ ir_version: 8, graph: { initializer: [{ name: "w", dims: [1], data_type: 3, raw_data }] } })).toThrow(
      "a model file has less than 2 GiB; onnx.save writes the weights to a file beside it",
    );
  });
});
