// The faults that `npm run mutate` plants: finds the places in derivative rules where one can stand, and weaves all of them into a source, each
// behind a switch, so that one bundle holds every mutant.
import { parseSync } from "rolldown/utils";

/** @typedef {{ type: string, start: number, end: number } & Record<string, unknown>} Syntax */
/**
 * A fault: `from` to `to` in the source of `file` read `original`, and read `text` when the fault is switched on. `line` is the source line it
 * stands on, `at` its column there, indentation left out. `prefix` is what a shorthand property needs in front (`axis: `).
 *
 * @typedef {{ file: string, from: number, to: number, original: string, text: string, kind: string, line: string, at: number, prefix?: string }} Mutant
 */
/** @typedef {{ program: Syntax, source: string, rules: Syntax[], functions: Map<string, Syntax>, imports: Map<string, { file: string, name: string }> }} Parsed */

/** The global variable that says which mutant is on. */
export const switchName = "__mutant";
/** The global function that flips the sign of whatever a rule returns. */
export const flipName = "__flip";
/** The global function that moves an axis, or each of a list, to a neighbour. */
export const shiftName = "__shift";

/**
 * @param {unknown} x
 * @returns {x is Syntax}
 */
const isSyntax = (x) => typeof x === "object" && x !== null && typeof (/** @type {{ type?: unknown }} */ (x).type) === "string";

/**
 * Every syntax node below one, itself included; of types only what runs.
 *
 * @param {unknown} start
 * @returns {Syntax[]}
 */
function below(start) {
  /** @type {Syntax[]} */
  const found = [];
  /** @type {unknown[]} */
  const open = [start];
  while (open.length > 0) {
    const x = open.pop();
    if (Array.isArray(x)) open.push(...x);
    else if (isSyntax(x)) {
      if (x.type.startsWith("TS")) {
        if (isSyntax(x["expression"])) open.push(x["expression"]);
        continue;
      }
      found.push(x);
      open.push(...Object.values(x));
    }
  }
  return found;
}

/** @param {unknown} node */
const nameOf = (node) => (isSyntax(node) && node.type === "Identifier" ? String(node["name"]) : "");
/** @param {Syntax} node */
const calleeOf = (node) => nameOf(node["callee"]);
/** @param {Syntax} property */
const keyOf = (property) => nameOf(property["key"]);

/**
 * An expression without the parentheses and casts around it.
 *
 * @param {Syntax} x
 * @returns {Syntax}
 */
function bare(x) {
  let at = x;
  while ((at.type === "ParenthesizedExpression" || at.type.startsWith("TS")) && isSyntax(at["expression"])) at = at["expression"];
  return at;
}

/**
 * The function that a property such as `vjp: (s) => ...` or `vjp: d && ((s) => ...)` holds.
 *
 * @param {Syntax} property
 * @returns {Syntax | null}
 */
function ruleIn(property) {
  if (property.type !== "Property" || !["vjp", "jvp", "d", "local"].includes(keyOf(property)) || !isSyntax(property["value"])) return null;
  let at = bare(property["value"]);
  if (at.type === "LogicalExpression" && isSyntax(at["right"])) at = bare(at["right"]);
  return at.type === "ArrowFunctionExpression" ? at : null;
}

/** @typedef {{ name: string, body: Syntax }} Rule */

/**
 * Reads the declarations of a file.
 *
 * @param {string} file
 * @param {string} source
 */
export function readDeclarations(file, source) {
  const { program } = parseSync(file, source);
  /** @type {Rule[]} */
  const rules = [];
  /**
   * Batching rules are neither planted in nor meanings: what they share with a derivative rule is looked at as the rule's.
   *
   * @type {Set<unknown>}
   */
  const batching = new Set();
  for (const node of below(program)) {
    const rule = ruleIn(node);
    if (rule !== null) rules.push({ name: keyOf(node), body: rule });
    if (node.type === "Property" && keyOf(node) === "batch") batching.add(node["value"]);
  }
  /** @type {Map<string, Syntax>} */
  const functions = new Map();
  /** @type {Map<string, { file: string, name: string }>} */
  const imports = new Map();
  /** @type {Set<string>} */
  const exported = new Set();
  for (const statement of /** @type {unknown[]} */ (program.body)) {
    if (!isSyntax(statement)) continue;
    const declared = statement.type === "ExportNamedDeclaration" ? statement["declaration"] : statement;
    if (isSyntax(declared) && declared.type === "FunctionDeclaration") {
      functions.set(nameOf(declared["id"]), declared);
      if (statement !== declared) exported.add(nameOf(declared["id"]));
    }
    if (statement.type === "ImportDeclaration" && isSyntax(statement["source"]))
      for (const s of /** @type {Syntax[]} */ (statement["specifiers"]))
        imports.set(nameOf(s["local"]), { file: resolved(file, String(statement["source"]["value"])), name: nameOf(s["imported"]) });
  }
  return { file, source, program: /** @type {unknown} */ (program), rules, batching, functions, imports, exported };
}

/** @typedef {ReturnType<typeof readDeclarations>} Declarations */

/**
 * @param {string} from
 * @param {string} to
 */
function resolved(from, to) {
  const path = from.split("/").slice(0, -1);
  for (const part of to.split("/")) {
    if (part === "..") path.pop();
    else if (part !== ".") path.push(part);
  }
  return path.join("/");
}

/**
 * The functions that only rules call, by file: what a rule leaves to a function beside it can be as wrong as the rule. A function that a kernel or
 * a type rule calls too is left alone: a fault in it changes what the op means, not its derivative.
 *
 * @param {ReadonlyMap<string, Declarations>} files
 * @returns {Map<string, { body: Syntax, users: Set<string> }[]>}
 */
export function functionsOfRules(files) {
  /** @type {(file: string, name: string) => { file: string, name: string } | null} */
  const owner = (file, name) => {
    const own = files.get(file);
    if (own?.functions.has(name)) return { file, name };
    const from = own?.imports.get(name);
    return from !== undefined && files.get(from.file)?.functions.has(from.name) ? from : null;
  };
  /** @type {(file: string, body: unknown, except?: ReadonlySet<unknown>) => string[]} */
  const called = (file, body, except) => {
    /** @type {Set<string>} */
    const names = new Set();
    const open = [body];
    while (open.length > 0) {
      const x = open.pop();
      if (except?.has(x)) continue;
      if (Array.isArray(x)) open.push(...x);
      else if (isSyntax(x)) {
        if (x.type === "Identifier") {
          const at = owner(file, nameOf(x));
          if (at !== null) names.add(`${at.file} ${at.name}`);
        }
        open.push(...Object.entries(x).flatMap(([key, v]) => (key === "id" || key === "key" ? [] : [v])));
      }
    }
    return [...names];
  };
  /** @type {(starts: Iterable<string>) => Set<string>} */
  const closure = (starts) => {
    const seen = new Set(starts);
    const open = [...seen];
    while (open.length > 0) {
      const [file, name] = /** @type {[string, string]} */ (/** @type {string} */ (open.pop()).split(" "));
      for (const next of called(file, files.get(file)?.functions.get(name)?.["body"]))
        if (!seen.has(next)) {
          seen.add(next);
          open.push(next);
        }
    }
    return seen;
  };
  /** @type {Set<string>} */
  const meant = new Set();
  for (const [file, { program, rules, batching, functions }] of files) {
    const left = new Set([...rules.map((r) => r.body), ...batching, ...functions.values()]);
    for (const at of called(file, program, left)) meant.add(at);
  }
  // Functions that users call are meanings too.
  for (const [file, { exported }] of files) {
    const importedBySource = [...files.values()].some(({ imports }) => [...imports.values()].some((i) => i.file === file));
    for (const name of exported) if (!importedBySource || publicName(files, name)) meant.add(`${file} ${name}`);
  }
  const others = closure(meant);
  /** @type {Map<string, { body: Syntax, users: Set<string> }[]>} */
  const found = new Map();
  /** @type {Map<string, { body: Syntax, users: Set<string> }>} */
  const known = new Map();
  for (const [file, { rules }] of files)
    for (const at of closure(rules.flatMap((r) => called(file, r.body)))) {
      if (others.has(at)) continue;
      const [where, name] = /** @type {[string, string]} */ (at.split(" "));
      let entry = known.get(at);
      if (entry === undefined) {
        entry = { body: /** @type {Syntax} */ (files.get(where)?.functions.get(name)), users: new Set() };
        known.set(at, entry);
        found.set(where, [...(found.get(where) ?? []), entry]);
      }
      entry.users.add(file);
    }
  return found;
}

/**
 * Whether an index passes a function on to users.
 *
 * @param {ReadonlyMap<string, Declarations>} files
 * @param {string} name
 */
function publicName(files, name) {
  return ["src/ops/index.ts", "src/linalg/index.ts"].some((file) => new RegExp(`\\b${name}\\b`).test(files.get(file)?.source ?? ""));
}

/**
 * The mutants of a file, each with the files whose ops it touches.
 *
 * @param {Declarations} declarations
 * @param {readonly { body: Syntax, users: Set<string> }[]} functions
 * @returns {{ mutant: Mutant, users: readonly string[] }[]}
 */
export function mutantsOf({ file, source, rules }, functions) {
  /** @type {Map<string, { mutant: Mutant, users: readonly string[] }>} */
  const found = new Map();
  /** @param {Syntax} n */
  const code = (n) => source.slice(n.start, n.end);
  /** @type {readonly string[]} */
  let users = [file];
  /** @type {(node: Syntax, text: string, kind: string, prefix?: string) => void} */
  const add = (node, text, kind, prefix) => {
    const start = source.lastIndexOf("\n", node.start) + 1;
    const line = (source.slice(start).split("\n", 1)[0] ?? "").trim();
    const at = source.slice(start, node.start).trimStart().length;
    const key = `${node.start} ${node.end} ${text}`;
    if (found.has(key) || text === code(node)) return;
    const mutant = { file, from: node.start, to: node.end, original: code(node), text, kind, line, at };
    found.set(key, { mutant: prefix === undefined ? mutant : { ...mutant, prefix }, users });
  };
  for (const { name, body } of rules) {
    inside(body["body"], add, code);
    if (name === "vjp" || name === "d" || name === "local") entries(body, add, code);
    else
      returned(body).forEach((n) => {
        if (code(n) === "null") return;
        add(n, "null", "operand dropped");
        add(n, `${flipName}(${code(n)})`, "sign flipped");
      });
    if (name === "d")
      for (const n of returned(body))
        if (bare(n).type !== "ObjectExpression" && code(n) !== "0") add(n, `${flipName}(${code(n)})`, "sign flipped");
  }
  for (const f of functions) {
    users = [...f.users];
    inside(f.body["body"], add, code);
  }
  return [...found.values()];
}

/** @typedef {(node: Syntax, text: string, kind: string, prefix?: string) => void} Add */

/**
 * What a function returns: the argument of each `return` that is its own, or the body of an arrow.
 *
 * @param {Syntax} f
 * @returns {Syntax[]}
 */
function returned(f) {
  const body = /** @type {Syntax} */ (f["body"]);
  if (body.type !== "BlockStatement") return [body];
  /** @type {Syntax[]} */
  const found = [];
  /** @type {unknown[]} */
  const open = [body];
  while (open.length > 0) {
    const x = open.pop();
    if (Array.isArray(x)) open.push(...x);
    else if (isSyntax(x)) {
      if (x.type === "ArrowFunctionExpression" || x.type === "FunctionExpression") continue;
      if (x.type === "ReturnStatement" && isSyntax(x["argument"])) found.push(x["argument"]);
      open.push(...Object.values(x));
    }
  }
  return found;
}

/**
 * Faults in what a rule gives to each operand.
 *
 * @param {Syntax} rule
 * @param {Add} add
 * @param {(n: Syntax) => string} code
 */
function entries(rule, add, code) {
  for (const result of returned(rule)) {
    const object = bare(result);
    if (object.type !== "ObjectExpression") continue;
    for (const p of /** @type {Syntax[]} */ (object["properties"])) {
      if (p.type !== "Property" || !isSyntax(p["value"])) continue;
      const value = p["value"];
      if (["null", "0"].includes(code(value))) continue;
      const prefix = p["shorthand"] === true ? `${keyOf(p)}: ` : undefined;
      add(value, "null", "operand dropped", prefix);
      add(value, `${flipName}(${code(value)})`, "sign flipped", prefix);
    }
  }
}

/**
 * Faults inside a rule.
 *
 * @param {unknown} body
 * @param {Add} add
 * @param {(n: Syntax) => string} code
 */
function inside(body, add, code) {
  for (const n of below(body)) {
    const args = /** @type {Syntax[]} */ (n["arguments"] ?? []);
    const [a, b] = args;
    if (n.type === "CallExpression" && a && b) {
      const name = calleeOf(n);
      if (["mul", "chain", "div"].includes(name)) add(n, code(a), "factor dropped");
      if (name === "mul") add(n, code(b), "factor dropped");
      if (name === "add" || name === "sub") add(n, code(a), "term dropped");
      if (name === "add") add(n, code(b), "term dropped");
      if (name === "sub" || name === "matmul") add(n, `${name}(${code(b)}, ${code(a)})`, "operands swapped");
      if (name === "sumTo") add(n, code(a), "un-broadcast left out");
    }
    if (n.type === "CallExpression" && a && calleeOf(n) === "neg") add(n, code(a), "sign flipped");
    if (n.type === "Literal" && typeof n["value"] === "number") {
      if (n["value"] !== 0) add(n, `(-${n["value"]})`, "sign flipped");
      add(n, String(n["value"] + 1), "number or axis shifted");
    }
    if (n.type === "CallExpression" && args.length > 1) {
      const last = /** @type {Syntax} */ (args[args.length - 1]);
      if (last.type === "ObjectExpression")
        for (const p of /** @type {Syntax[]} */ (last["properties"])) {
          if (p.type !== "Property" || !isSyntax(p["value"])) continue;
          const prefix = p["shorthand"] === true ? `${keyOf(p)}: ` : undefined;
          add(p["value"], "undefined", "attribute ignored", prefix);
          if (["axis", "axes"].includes(keyOf(p)) && p["value"].type !== "Literal")
            add(p["value"], `${shiftName}(${code(p["value"])})`, "number or axis shifted", prefix);
        }
    }
  }
}

/**
 * Where a mutant stands in the source: file and line.
 *
 * @param {Mutant} m
 * @param {string} source
 */
export function place({ file, from }, source) {
  return `${file}:${source.slice(0, from).split("\n").length}`;
}

/** @param {Mutant} m */
export function describe({ kind, original, text }) {
  const short = (/** @type {string} */ s) => s.replace(/\s+/g, " ").slice(0, 70);
  return `${kind}: \`${short(original)}\` -> \`${short(text)}\``;
}

/**
 * A source with mutants in it, each behind its number: `(__mutant === 7 ? text : original)`.
 *
 * @param {string} source
 * @param {readonly { readonly id: number, readonly mutant: Mutant }[]} mutants
 */
export function woven(source, mutants) {
  /** @type {Map<string, { from: number, to: number, prefix: string, choices: string }>} */
  const places = new Map();
  for (const { id, mutant } of mutants) {
    const { from, to, text, prefix = "" } = mutant;
    const key = `${from} ${to}`;
    const at = places.get(key) ?? { from, to, prefix, choices: "" };
    at.prefix ||= prefix;
    at.choices += `globalThis.${switchName} === ${id} ? (${text.replace(/^undefined$/, "void 0")}) : `;
    places.set(key, at);
  }
  // Outer places first; places nest, because they are syntax nodes.
  const list = [...places.values()].sort((p, q) => p.from - q.from || q.to - p.to);
  let at = 0;
  /** @type {(from: number, to: number) => string} */
  const write = (from, to) => {
    let out = "";
    let done = from;
    while (at < list.length) {
      const next = /** @type {typeof list[number]} */ (list[at]);
      if (next.from >= to) break;
      at++;
      out += source.slice(done, next.from);
      out += `${next.prefix}(${next.choices}${write(next.from, next.to)})`;
      done = next.to;
    }
    return out + source.slice(done, to);
  };
  return write(0, source.length);
}
