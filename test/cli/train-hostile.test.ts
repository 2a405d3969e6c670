import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { readCheckpoint } from "../../src/train/checkpoint.ts";
import { runCli as cli } from "./run-cli.ts";

const folder = mkdtempSync(join(tmpdir(), "train-hostile-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);
const file = (name: string, content: string): string => {
  writeFileSync(at(name), content);
  return at(name);
};

const three = file("three.csv", "a,b,y\n1,7,0\n2,3,1\n3,4,0\n");
const points = file("points.csv", `a,b,y\n${Array.from({ length: 10 }, (_, i) => `${i},${(i * 7) % 5},${i % 2}`).join("\n")}\n`);
let runs = 0;
/** A run of its own checkpoint, on the readable engine, which needs no time to compile. */
const train = (data: string, ...more: string[]) =>
  cli(["train", "--model", "mlp:2-4-2", "--target", "y", "--engine", "reference", "--epochs", "1", "--data", data, ...own(more), ...more]);
const own = (more: readonly string[]): string[] => (more.includes("--checkpoint") ? [] : ["--checkpoint", at(`${++runs}.ckpt`)]);

describe("a batch", () => {
  test("larger than the rows is refused where it is asked for, as train() does", async () => {
    const { code, err: error } = await train(three, "--batch", "100");
    expect(error).toContain(
      "--batch 100: 2 rows are trained on, so every batch would be all of them; write --batch 2 if that is meant, or leave it out",
    );
    expect(code).toBe(2);
    expect((await train(three, "--batch", "2")).code).toBe(0);
  });

  test("is all rows where nothing is said and there are fewer than 64", async () => {
    expect((await train(three)).code).toBe(0);
  });

  test("of no rows is the fault of the share", async () => {
    const { code, err: error } = await train(three, "--split", "0.01");
    expect(error).toContain("--split 0.01 leaves none of the 3 rows of");
    expect(code).toBe(2);
  });
});

test("a loss that is not finite comes with what to do on a command line", async () => {
  const given = ["--optimizer", "sgd", "--rate", "1e30"];
  const lines = ["train", "--model", "mlp:2-4-1", "--target", "y", "--engine", "reference", "--epochs", "50", "--data", points];
  const { code, err: error } = await cli([...lines, ...given, "--checkpoint", at("nan.ckpt")]);
  expect(error).toContain(
    "; the parameters are as they were before the step. Mostly the steps are too long: begin anew with shorter ones, such as --rate 1e+29",
  );
  expect(error).not.toContain("replay");
  expect(code).toBe(2);
  const raw = await cli([...lines, ...given, "--raw", "--checkpoint", at("nan2.ckpt")]);
  expect(raw.err).toContain("such as --rate 1e+29, or without --raw");
});

describe("files that are one file are refused before anything is written:", () => {
  test("train", async () => {
    const before = readFileSync(points, "utf8");
    const { code, err: error } = await train(points, "--checkpoint", points, "--force");
    expect(error).toContain(`--data and --checkpoint are both ${points}, and one would be written over the other; name another file`);
    expect(code).toBe(2);
    expect(readFileSync(points, "utf8")).toBe(before);
    expect((await train(points, "--checkpoint", at("same.ckpt"), "--best", join(folder, ".", "same.ckpt"))).err).toContain(
      "--checkpoint and --best are both",
    );
  });

  test("predict", async () => {
    const checkpoint = at("kept.ckpt");
    expect((await train(points, "--checkpoint", checkpoint)).code).toBe(0);
    const before = readFileSync(checkpoint);
    expect((await cli(["predict", checkpoint, "--data", points, "--out", checkpoint])).err).toContain("CHECKPOINT and --out are both");
    expect((await cli(["predict", checkpoint, "--data", points, "--out", points])).err).toContain("--data and --out are both");
    expect(readFileSync(checkpoint)).toEqual(before);
  });
});

test("files that cannot be written are told before the first step", async () => {
  for (const [option, name] of [
    ["--curve", "none/curve.svg"],
    ["--out", "none/out.safetensors"],
  ] as const) {
    const { code, err: error } = await train(points, option, at(name));
    expect(error).toContain(`cannot write ${at(name)}: there is no such file or folder`);
    expect(error).not.toContain("epoch 1/1");
    expect(code).toBe(2);
  }
});

describe("resuming", () => {
  const checkpoint = at("resumed.ckpt");
  const again = (...more: string[]) => train(points, "--checkpoint", checkpoint, "--resume", ...more);

  test("begins with a run", async () => {
    expect((await train(points, "--checkpoint", checkpoint)).code).toBe(0);
  });

  test("refuses another model with weights of the same shapes", async () => {
    const { code, err: error } = await cli([
      "train",
      "--model",
      "mlp:2-4-2,tanh",
      "--data",
      points,
      "--target",
      "y",
      "--checkpoint",
      checkpoint,
      "--resume",
    ]);
    expect(error).toContain(
      `${checkpoint} has a run of --model mlp:2-4-2, and --model mlp:2-4-2,tanh would go on with its weights as another model`,
    );
    expect(code).toBe(2);
  });

  test("says in words of the command line what else may be otherwise", async () => {
    expect((await again("--batch", "3")).err).toContain(
      "Go on with the data and the options it was begun with (--split, --seed, --batch and",
    );
    expect((await again("--optimizer", "sgd")).err).toContain(
      "Go on with the model and the --optimizer it was begun with, begin anew: --force",
    );
    expect(
      (await cli(["train", "--model", "mlp:2-8-2", "--data", points, "--target", "y", "--checkpoint", checkpoint, "--resume"])).err,
    ).toContain("params.fc1.w: f32[2,4] there, f32[2,8] here");
  });

  test("weights alone are no run, for predict either", async () => {
    const out = at("w.safetensors");
    expect((await train(points, "--out", out)).code).toBe(0);
    expect((await cli(["predict", out, "--data", points])).err).toContain(
      "it has weights alone, as --out writes them; name the file that --checkpoint named",
    );
  });
});

describe("columns that hold text", () => {
  const people = file(
    "people.csv",
    `id,height,name,weight,kind\n${Array.from({ length: 40 }, (_, i) => `p${i},${i % 7},"Kim, ${i}",${i % 5},${i % 2 === 0 ? "a" : "b"}`).join("\n")}\n`,
  );
  const on = (...words: string[]) =>
    cli([
      "train",
      "--model",
      "mlp:2-2",
      "--data",
      people,
      "--target",
      "kind",
      "--epochs",
      "1",
      "--force",
      "--checkpoint",
      at("p.ckpt"),
      ...words,
    ]);

  test("are told with row, column, all their names and what to write", async () => {
    const { code, err } = await on();
    expect([code, err]).toEqual([
      2,
      `chainrule: ${people}: csv: row 2, column 1 (id): "p0" is not a number; write numbers there, or leave columns of text out: --ignore id,name\n`,
    ]);
    const odd = file("odd.csv", `the name,a,y\nx,1,2\n`);
    expect((await cli(["train", "--model", "mlp:1-1", "--data", odd, "--target", "y"])).err).toContain("--ignore 'the name'\n");
    const comma = file("comma.csv", `"a, b",a,y\nx,1,2\n`);
    expect((await cli(["train", "--model", "mlp:1-1", "--data", comma, "--target", "y"])).err).toContain(
      "write numbers there, or take columns of text out of the file\n",
    );
  });

  test("are left out by --ignore, or by a list in a CONFIG.json", async () => {
    expect((await on("--ignore", "id, name")).code).toBe(0);
    expect((await readCheckpoint(at("p.ckpt"))).header.note).toMatchObject({ columns: ["height", "weight"] });
    const config = file("people.json", JSON.stringify({ ignore: ["id", "name"] }));
    expect((await on(config)).code).toBe(0);
  });

  test("are names of the table, and not the target", async () => {
    expect((await on("--ignore", "id,nmae")).err).toContain(
      'csv: there is no column "nmae" to ignore; there are id, height, name, weight, kind',
    );
    expect((await on("--ignore", "kind")).err).toContain("--ignore kind: it is what --target names, and to be predicted; leave it out");
    expect((await on("--ignore", "id,,name")).err).toContain("--ignore id,,name: write names with commas between them");
    expect((await on("--ignore", "id,name,height")).err).toContain("has 1 column beside kind and those of --ignore");
    expect((await on("--ignore", "id,name,height,weight")).err).toContain("csv: there is no column beside kind and those of --ignore");
  });
});

test("a CONFIG.json with a name twice is refused: the first would be dropped in silence", async () => {
  const config = file("twice.json", `{"model": "mlp:2-4-2", "data": ${JSON.stringify(points)}, "target": "y", "epochs": 1, "epochs": 2}`);
  expect((await cli(["train", config])).err).toContain('twice.json has "epochs" twice; which one is meant?');
});

test("a table that is not separated by commas, or has no header, is told why its column is not there", async () => {
  expect((await train(file("semi.csv", "a;b;y\n1;2;0\n"))).err).toContain(
    'there is no column "y"; there are a;b;y; there is no comma in the first row: if ";" is between its cells, save the table with commas',
  );
  expect((await train(file("bare.csv", "1,2,0\n3,4,1\n"))).err).toContain(
    "there are column1, column2, column3; the first row has numbers, so these are no names of the file",
  );
});
