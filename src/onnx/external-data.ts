import { nodeFiles } from "../files/node-files.ts";
import { withFile } from "../files/open-file.ts";
import { type Ranges, rangesOfBlob, rangesOfBytes, rangesOfFile } from "../files/ranges.ts";
import { ParseError } from "../ir/errors.ts";
import type { TensorMessage } from "./schema.ts";
import { checkBytes } from "./tensor-data.ts";

/** Where data outside the model file lies. */
interface Place {
  readonly location: string;
  readonly offset: number;
  readonly length: number | undefined;
}

/** Files that a caller hands over, by the location that the model names. */
export type ExternalFiles = Readonly<Record<string, Uint8Array | Blob>>;

function placeOf(message: TensorMessage): Place {
  const who = message.name ?? "a tensor";
  const entries = new Map((message.external_data ?? []).map(({ key, value }) => [key, value ?? ""]));
  const location = entries.get("location");
  if (location === undefined || location === "")
    throw new ParseError(`onnx: the data of ${who} is in another file, and its name is missing`);
  const number = (key: string): number | undefined => {
    const text = entries.get(key);
    if (text === undefined || text === "") return undefined;
    const n = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(n))
      throw new ParseError(`onnx: the external data of ${who} has ${key} ${text}; it is a whole number of bytes`);
    return n;
  };
  return { location, offset: number("offset") ?? 0, length: number("length") };
}

/**
 * A location as a path below the folder of the model.
 * @throws ParseError for one that leads elsewhere: a model is data from strangers, and must not read what it likes
 */
function insideFolder(location: string, who: string): string {
  const parts = location.split("/");
  if (/^([a-zA-Z]:|[\\/])/.test(location) || /[\\\0]/.test(location) || parts.includes("..") || location.includes("://"))
    throw new ParseError(
      `onnx: the external data of ${who} is at ${JSON.stringify(location)}; a model may only name files inside its own folder`,
    );
  return parts.filter((p) => p !== "" && p !== ".").join("/");
}

/** Which bytes of a file of `size` bytes. */
function rangeOf({ location, offset, length }: Place, size: number, who: string): readonly [number, number] {
  const end = offset + (length ?? size - offset);
  if (offset > size || end > size)
    throw new ParseError(
      `onnx: ${who} is at bytes ${offset} to ${end} of ${location}, which has ${size}; the file is cut short, or another one`,
    );
  return [offset, end];
}

/** A tensor and where its data lies. */
interface Wanted {
  readonly message: TensorMessage;
  readonly place: Place;
}

/**
 * The bytes of all tensors whose data stands in other files. Each file is opened once, and of it only what is named is read, once it is known to fill the shape.
 * @param folder the folder of the model, null where it did not come from a path
 * @throws ParseError for files that are missing, too short or outside the folder, symbolic links followed
 */
export async function readExternal(
  messages: readonly TensorMessage[],
  folder: string | null,
  given: ExternalFiles,
): Promise<Map<TensorMessage, Uint8Array>> {
  const found = new Map<TensorMessage, Uint8Array>();
  const byFile = new Map<string, Wanted[]>();
  for (const message of messages) {
    const place = placeOf(message);
    const list = byFile.get(place.location);
    if (list === undefined) byFile.set(place.location, [{ message, place }]);
    else list.push({ message, place });
  }
  for (const [location, list] of byFile) {
    const who = list[0]!.message.name ?? "a tensor";
    const handed = Object.hasOwn(given, location) ? given[location]! : null;
    if (handed !== null) await taken(handed instanceof Uint8Array ? rangesOfBytes(handed) : rangesOfBlob(handed), list, found);
    else if (folder === null)
      throw new ParseError(
        `onnx: the data of ${who} is in the file ${location}; hand it over: onnx.read(bytes, { external: { ${JSON.stringify(location)}: more } })`,
      );
    else {
      const path = await below(folder, location, who);
      await withFile(path, (file, size) => taken(rangesOfFile(file, size), list, found));
    }
  }
  return found;
}

async function taken(file: Ranges, list: readonly Wanted[], found: Map<TensorMessage, Uint8Array>): Promise<void> {
  for (const { message, place } of list) {
    const who = message.name ?? "a tensor";
    const [from, to] = rangeOf(place, file.size, who);
    checkBytes(message, who, to - from);
    found.set(message, await file.read(from, to));
  }
}

/** The path of a file in the folder of the model. @throws ParseError for one that is not there or outside, links followed */
async function below(folder: string, location: string, who: string): Promise<string> {
  const files = await nodeFiles();
  const inside = insideFolder(location, who);
  const home = await files.realpath(folder === "" ? "." : folder);
  const path = await files.realpath(`${home}/${inside}`).catch(() => {
    throw new ParseError(`onnx: the data of ${who} is in ${location}, and there is no such file beside the model; keep the two together`);
  });
  const start = home.endsWith("/") || home.endsWith("\\") ? home : `${home}/`;
  // The folder itself is told as a folder, by who opens it.
  if (path !== home && !path.replaceAll("\\", "/").startsWith(start.replaceAll("\\", "/")))
    throw new ParseError(`onnx: the external data of ${who} is at ${location}, a link that leads out of the model's folder`);
  return path;
}
