import { repeatedKey } from "../data/repeated-key.ts";
import { ChainruleError, ParseError } from "../ir/errors.ts";
import type { Tensor } from "../ir/tensor.ts";
import { isName } from "../notation/characters.ts";
import { nearestName } from "../notation/nearest.ts";
import { answerJson, answerOf } from "./answer.ts";
import { describeError } from "./describe-error.ts";
import { type CommandIo, exitCodes } from "./io.ts";
import { checkedNames, problemOf } from "./problem.ts";
import { linesIn, longestText } from "./text-in.ts";
import { tensorOfJson, type Values } from "./values.ts";

const keys = ["expr", "at", "wrt"] as const;

/**
 * Answers a file of records line by line, as they arrive, in their order; a line that fails has its error in its place. Blank lines are passed over.
 * @returns the exit code: 1 when a line failed
 * @throws ParseError when the file cannot be read
 */
export async function runBatch(path: string, wrt: readonly string[] | null, io: CommandIo): Promise<number> {
  let failed = false;
  for await (const line of linesIn(path, io)) {
    if (line !== null && /^\s*$/.test(line)) continue;
    let answer: object;
    try {
      answer = answerTo(line, wrt);
    } catch (error) {
      failed = true;
      const { code, line: message, span } = describeError(error);
      answer = { error: { code, message, span } };
    }
    await io.write(`${JSON.stringify(answer)}\n`);
  }
  return failed ? exitCodes.failed : exitCodes.done;
}

function answerTo(line: string | null, wrt: readonly string[] | null): object {
  if (line === null) throw new ParseError(`the line is longer than ${longestText} characters (the limit)`);
  const { expr, at, names } = request(line);
  return answerJson(answerOf(problemOf(expr, valuesAt(at)), names ?? wrt));
}

interface Request {
  readonly expr: string;
  readonly at: Readonly<Record<string, unknown>>;
  readonly names: readonly string[] | null;
}

function request(line: string): Request {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch (cause) {
    throw new ParseError('the line is no JSON; it is one record: {"expr": "x^2", "at": {"x": 3}}', { cause });
  }
  if (!isRecord(json)) throw new ParseError('the line is no record; write {"expr": "x^2", "at": {"x": 3}}');
  const twice = repeatedKey(line);
  if (twice !== null) throw new ParseError(`"${shown(twice)}" stands twice in one record`);
  for (const key of Object.keys(json)) {
    if ((keys as readonly string[]).includes(key)) continue;
    const nearest = nearestName(key, keys);
    throw new ParseError(
      `"${shown(key)}" is not known; ${nearest === undefined ? `a line has ${keys.join(", ")}` : `did you mean ${nearest}?`}`,
    );
  }
  const { expr, at = {}, wrt } = json as { readonly expr?: unknown; readonly at?: unknown; readonly wrt?: unknown };
  if (typeof expr !== "string") throw new ParseError('"expr" is missing or no text; write {"expr": "x^2", "at": {"x": 3}}');
  if (!isRecord(at)) throw new ParseError('"at" is no record; write "at": {"x": 3}');
  if (wrt === undefined) return { expr, at, names: null };
  if (!Array.isArray(wrt) || !wrt.every((name) => typeof name === "string"))
    throw new ParseError('"wrt" is no list of names; write "wrt": ["x"]');
  return { expr, at, names: checkedNames(wrt as readonly string[], '"wrt"') };
}

function isRecord(x: unknown): x is Readonly<Record<string, unknown>> {
  return typeof x === "object" && x !== null && !Array.isArray(x);
}

function valuesAt(at: Readonly<Record<string, unknown>>): Values {
  const values = new Map<string, Tensor>();
  for (const [key, json] of Object.entries(at)) {
    const name = key.normalize("NFC");
    if (!isName(name)) throw new ParseError(`"at": "${shown(key)}" is no name of a variable`);
    if (values.has(name)) throw new ParseError(`"at": ${shown(name)} stands twice`);
    try {
      values.set(name, tensorOfJson(json));
    } catch (error) {
      if (error instanceof ChainruleError) error.message = `${shown(name)}: ${error.message.replace(/^tensor: /, "")}`;
      throw error;
    }
  }
  return values;
}

function shown(name: string): string {
  return name.length > 40 ? `${name.slice(0, 30)}…` : name;
}
