// Sentences that the messages of the sources can be: each text with something in its holes, found by reading the sources. What is held to them is the Korean of faults.
import { posix } from "node:path";
import { parseSync } from "rolldown/utils";
import { family, isSyntax, type Syntax } from "./error-messages.ts";

/** A message and sentences it can be. */
export interface Sampled {
  readonly file: string;
  readonly line: number;
  readonly samples: readonly string[];
}

interface Scope {
  readonly names: Map<string, Binding[]>;
  readonly outer: Scope | null;
  readonly owner: Owner | null;
}

/** A function and where it stands. */
interface Owner {
  readonly name: string | null;
  readonly method: boolean;
  readonly syntax: Syntax;
  readonly scope: Scope;
  readonly file: string;
}

type Binding =
  | { readonly kind: "value"; readonly value: Place }
  | {
      readonly kind: "parameter";
      readonly owner: Owner;
      readonly index: number;
      readonly key: string | null;
      readonly numeric: boolean;
      readonly otherwise: Place | null;
    }
  | { readonly kind: "function"; readonly owner: Owner };

interface Place {
  readonly syntax: Syntax;
  readonly scope: Scope;
  readonly file: string;
}

interface Call {
  readonly name: string;
  readonly place: Place;
}

const functions = new Set(["FunctionDeclaration", "FunctionExpression", "ArrowFunctionExpression"]);
/** How many samples a message gets at most, and how deep holes are looked into. */
const most = 400;
const deepest = 7;

/** What stands in a hole whose text is not found: by the last word of its expression. */
const typical: readonly (readonly [RegExp, string])[] = [
  [/^dtype$|D[tT]ype$/, "f32"],
  [/[tT]ype$|^typeText$/, "f64[2]"],
  [/^(shapeText|shape|dims)$|Shape$/, "[2,3]"],
  [/^(stringify|quote|quoted)$/, '"name"'],
  [
    /^(length|size|rank|axis|count|index|i|n|at|limit|line|column|end|start|step|bytes|max|min|k|stride)$|(Count|Length|Size|Index|Rank|Axis|Limit|Max|Bytes|Line)$/,
    "3",
  ],
];

class Sources {
  readonly #calls = new Map<string, Call[]>();
  readonly #functions = new Map<string, Owner[]>();
  readonly #constants = new Map<string, Place[]>();
  /** For each file the names it imports, and the files they come from. */
  readonly #imports = new Map<string, Map<string, string>>();
  /** The list that a function is mapped over. */
  readonly #lists = new Map<Syntax, Place>();
  readonly #thrown: Place[] = [];
  readonly #sources: ReadonlyMap<string, string>;
  readonly #family: RegExp;

  constructor(sources: ReadonlyMap<string, string>, thrown: RegExp) {
    this.#sources = sources;
    this.#family = familyWith(sources, thrown);
    for (const [file, source] of sources) this.#read(file, source);
  }

  #read(file: string, source: string): void {
    const scope: Scope = { names: new Map(), outer: null, owner: null };
    const imports = importsOf(file, source);
    this.#imports.set(file, imports);
    this.#walk({ syntax: parseSync(file, source).program as unknown as Syntax, scope, file }, null);
    for (const [name, bindings] of scope.names) for (const b of bindings) if (b.kind === "value") push(this.#constants, name, b.value);
  }

  #walk(place: Place, name: string | null, method = false): void {
    const { syntax, file } = place;
    let { scope } = place;
    if (functions.has(syntax.type)) {
      const own = (syntax["id"] as { name?: string } | null)?.name ?? name;
      const names = new Map<string, Binding[]>();
      const owner: Owner = { name: own, method, syntax, scope: { names, outer: scope, owner: null }, file };
      push(this.#functions, own ?? "", owner);
      if (own !== null) {
        push(scope.names, own, { kind: "function", owner });
      }
      scope = { names, outer: scope, owner };
      (owner as { scope: Scope }).scope = scope;
      for (const [index, p] of (syntax["params"] as Syntax[]).entries()) this.#parameter(p, index, owner);
    }
    if (syntax.type === "VariableDeclarator" && isSyntax(syntax["init"])) {
      const id = syntax["id"] as Syntax;
      if (id.type === "Identifier")
        push(scope.names, String(id["name"]), { kind: "value", value: { syntax: syntax["init"], scope, file } });
    }
    if (syntax.type === "AssignmentExpression" && isSyntax(syntax["right"])) {
      const left = syntax["left"] as Syntax;
      if (left.type === "Identifier")
        push(scope.names, String(left["name"]), { kind: "value", value: { syntax: syntax["right"], scope, file } });
    }
    if (syntax.type === "CallExpression" || syntax.type === "NewExpression") {
      const callee = syntax["callee"] as Syntax;
      const called = callee.type === "Identifier" ? callee["name"] : (callee["property"] as { name?: string } | undefined)?.name;
      const given = (syntax["arguments"] as Syntax[])[0];
      if (called === "map" && given !== undefined) this.#lists.set(given, { syntax: callee["object"] as Syntax, scope, file });
      if (typeof called === "string") push(this.#calls, called, { name: called, place: { syntax, scope, file } });
      if (syntax.type === "NewExpression" && this.#family.test(String(callee["name"]))) this.#thrown.push({ syntax, scope, file });
    }
    for (const [key, value] of Object.entries(syntax)) {
      const below =
        key === "init" && syntax.type === "VariableDeclarator"
          ? ((syntax["id"] as { name?: string }).name ?? null)
          : key === "value" && (syntax.type === "MethodDefinition" || syntax.type === "Property" || syntax.type === "PropertyDefinition")
            ? nameOfKey(syntax)
            : null;
      for (const part of Array.isArray(value) ? value : [value])
        if (isSyntax(part)) this.#walk({ syntax: part, scope, file }, below, syntax.type === "MethodDefinition");
    }
  }

  #parameter(p: Syntax, index: number, owner: Owner): void {
    const { scope, file } = owner;
    const given = p.type === "AssignmentPattern" ? (p["left"] as Syntax) : p;
    const otherwise = p.type === "AssignmentPattern" ? { syntax: p["right"] as Syntax, scope, file } : null;
    if (given.type === "Identifier")
      push(scope.names, String(given["name"]), { kind: "parameter", owner, index, key: null, numeric: isNumber(given), otherwise });
    if (given.type !== "ObjectPattern") return;
    for (const property of given["properties"] as Syntax[]) {
      const value = property["value"] as Syntax | undefined;
      const id = value?.type === "AssignmentPattern" ? (value["left"] as Syntax) : value;
      if (id?.type === "Identifier")
        push(scope.names, String(id["name"]), {
          kind: "parameter",
          owner,
          index,
          key: nameOfKey(property),
          numeric: false,
          otherwise: null,
        });
    }
  }

  messages(): Sampled[] {
    return this.#thrown.map((place) => {
      const source = this.#sources.get(place.file)!;
      const said = (place.syntax["arguments"] as Syntax[])[0];
      const samples = said === undefined ? [""] : this.#texts({ ...place, syntax: said }, new Map(), 0);
      // Nothing but holes, or a name that is empty where the code never leaves it so.
      const told = [...new Set(samples)]
        .filter((s) => /[a-z]{3}/.test(s.replace(/^(\S+: )+/, "")) && !/^ | {2}|: [:;]|: $/.test(s.split("\n")[0]!))
        .slice(0, most);
      return { file: place.file, line: source.slice(0, place.syntax.start).split("\n").length, samples: told };
    });
  }

  /** What an expression can be as a text, with parameters that are given. */
  #texts(place: Place, given: Given, depth: number): string[] {
    const { syntax, scope, file } = place;
    const at = (inner: unknown): string[] => this.#texts({ syntax: inner as Syntax, scope, file }, given, depth);
    switch (syntax.type) {
      case "Literal":
        return [String(syntax["value"])];
      case "TemplateLiteral": {
        const quasis = (syntax["quasis"] as { value: { cooked: string } }[]).map((q) => [q.value.cooked]);
        const holes = (syntax["expressions"] as Syntax[]).map(at);
        return aligned(
          quasis.flatMap((q, i) => (i < holes.length ? [q, holes[i]!] : [q])),
          (syntax["expressions"] as Syntax[]).flatMap((e, i) => ["", this.#testOf(e, file) ?? String(i)]),
        );
      }
      case "ConditionalExpression":
        return [...at(syntax["consequent"]), ...at(syntax["alternate"])];
      case "BinaryExpression":
        if (syntax["operator"] === "+") return aligned([at(syntax["left"]), at(syntax["right"])]);
        return ["3"];
      case "LogicalExpression": {
        const left = at(syntax["left"]).filter((t) => !/^(null|undefined|false|)$/.test(t));
        const certain = syntax["operator"] === "||" && (syntax["left"] as Syntax).type === "Identifier" && left.some((t) => t !== "x");
        return certain ? left : [...left, ...at(syntax["right"]).filter((t) => t !== "")];
      }
      case "ParenthesizedExpression":
      case "TSAsExpression":
      case "TSNonNullExpression":
      case "TSSatisfiesExpression":
      case "ChainExpression":
        return at(syntax["expression"]);
      case "Identifier":
        return this.#named(String(syntax["name"]), place, given, depth);
      case "CallExpression":
        return this.#called(place, given, depth);
      case "MemberExpression":
        return this.#member(place, given, depth);
      default:
        return [typicalFor("")];
    }
  }

  /** What a choice between texts depends on. */
  #testOf({ type, test }: Syntax, file: string): string | null {
    return type === "ConditionalExpression"
      ? this.#sources.get(file)!.slice((test as Syntax).start, (test as { readonly end: number }).end)
      : null;
  }

  /** A list as a text: the elements of one that is written out, or one element of any other. */
  #joined({ syntax, scope, file }: Place, given: Given, depth: number): string[] {
    const [separator] = syntax["arguments"] as Syntax[];
    const between = separator?.type === "Literal" ? String(separator["value"]) : ",";
    let list = (syntax["callee"] as Syntax)["object"] as Syntax;
    const kept = list.type === "CallExpression" && memberOf(list["callee"] as Syntax) === "filter";
    if (kept) list = (list["callee"] as Syntax)["object"] as Syntax;
    for (let s: Scope | null = scope; s !== null && list.type === "Identifier"; s = s.outer) {
      const b = s.names.get(String(list["name"]))?.[0];
      if (b?.kind !== "value") continue;
      list = b.value.syntax;
      const filter = list.type === "CallExpression" && memberOf(list["callee"] as Syntax) === "filter";
      if (!filter) break;
      const whole = ((list["callee"] as Syntax)["object"] as Syntax).type === "ArrayExpression";
      if (whole)
        return this.#joined(
          { syntax: { ...syntax, callee: { ...(syntax["callee"] as Syntax), object: list } }, scope: b.value.scope, file },
          given,
          depth,
        );
      break;
    }
    if (list.type !== "ArrayExpression") {
      const elements = this.#elements({ syntax: list, scope, file, given }, depth).filter((t) => t !== "x");
      return elements.length > 0 ? elements : [between === "," ? "2,3" : `a${between}b`];
    }
    const elements = (list["elements"] as Syntax[]).map((e) => this.#texts({ syntax: e, scope, file }, given, depth + 1));
    return Array.from({ length: Math.max(1, ...elements.map((e) => e.length)) }, (_, i) =>
      elements
        .map((e) => e[i % e.length] ?? "")
        .filter((t) => t !== "" || !kept)
        .join(between),
    );
  }

  /** A member of a table that stands in the sources, or what is typical of its name. */
  #member({ syntax, scope }: Place, given: Given, depth: number): string[] {
    const name = nameOfKey({ ...syntax, key: syntax["property"] } as Syntax) ?? "";
    const owner = syntax["object"] as Syntax;
    for (let s: Scope | null = owner.type === "Identifier" ? scope : null; s !== null; s = s.outer) {
      const b = s.names.get(String(owner["name"]))?.[0];
      if (b?.kind !== "value") continue;
      let table = b.value.syntax;
      while (/^TS/.test(table.type)) table = table["expression"] as Syntax;
      if (table.type !== "ObjectExpression") break;
      const members = (table["properties"] as Syntax[]).filter(
        (p) => nameOfKey(p) === name || (syntax["computed"] === true && (syntax["property"] as Syntax).type !== "Literal"),
      );
      const texts = members.flatMap((p) =>
        isText(p["value"] as Syntax) ? this.#texts({ ...b.value, syntax: p["value"] as Syntax }, given, depth + 1) : [],
      );
      return texts.length > 0 ? texts : [typicalFor(name)];
    }
    return [typicalFor(name)];
  }

  #named(name: string, place: Place, given: Given, depth: number): string[] {
    if (depth > deepest || /^dtype$|Type$/.test(name)) return [typicalFor(name)];
    for (let scope: Scope | null = place.scope; scope !== null; scope = scope.outer) {
      const bindings = scope.names.get(name);
      if (bindings === undefined) continue;
      const texts = bindings.flatMap((b) => {
        if (b.kind === "value") return isText(b.value.syntax) ? this.#texts(b.value, given, depth + 1) : [];
        if (b.kind === "function") return [];
        return this.#argument(b, given, depth + 1);
      });
      return texts.length > 0 ? texts : [typicalFor(name)];
    }
    const elsewhere = this.#constants.get(name);
    if (elsewhere?.length === 1 && isText(elsewhere[0]!.syntax)) return this.#texts(elsewhere[0]!, given, depth + 1);
    return [typicalFor(name)];
  }

  /** What stands in the calls for a parameter. */
  #argumentPlaces(b: Parameter, given: Given): Told[] {
    const one = given.get(b.owner);
    const { name, file, method } = b.owner;
    const calls: Told[] =
      one !== undefined
        ? [{ ...one, given: one.given }]
        : (this.#calls.get(name ?? "?") ?? [])
            .filter(({ place }) => {
              if (place.file === file || this.#imports.get(place.file)?.get(name!) === file) return true;
              if (!method || (place.syntax["callee"] as Syntax).type !== "MemberExpression") return false;
              // A method of another file: the only one of its name, or one beside it that is told a text.
              if (this.#functions.get(name!)!.filter((f) => f.method).length === 1) return true;
              const told = (place.syntax["arguments"] as Syntax[])[b.index]?.type ?? "";
              return posix.dirname(place.file) === posix.dirname(file) && /^(TemplateLiteral|Literal)$/.test(told);
            })
            .map(({ place }) => ({ ...place, given }));
    return calls.flatMap((call) => {
      let syntax = (call.syntax["arguments"] as Syntax[])[b.index];
      if (syntax !== undefined && b.key !== null) {
        const property =
          syntax.type === "ObjectExpression" ? (syntax["properties"] as Syntax[]).find((p) => nameOfKey(p) === b.key) : undefined;
        syntax = property?.["value"] as Syntax | undefined;
      }
      if (syntax === undefined) return b.otherwise === null ? [] : [{ ...b.otherwise, given }];
      return [{ ...call, syntax }];
    });
  }

  #argument(b: Parameter, given: Given, depth: number): string[] {
    if (b.numeric) return ["3"];
    const list = b.index === 0 && b.key === null ? this.#lists.get(b.owner.syntax) : undefined;
    const texts =
      list !== undefined
        ? this.#elements({ ...list, given }, depth)
        : this.#argumentPlaces(b, given).flatMap((place) => (isText(place.syntax) ? this.#texts(place, place.given, depth) : []));
    return [...new Set(texts)].slice(0, most);
  }

  /** What the elements of a list can be as texts; none where nothing is known of them. */
  #elements({ syntax, scope, file, given }: Told, depth: number): string[] {
    if (depth > deepest) return [];
    if (syntax.type === "ArrayExpression")
      return (syntax["elements"] as Syntax[]).flatMap((e) => this.#texts({ syntax: e, scope, file }, given, depth + 1));
    if (syntax.type === "CallExpression") {
      const callee = syntax["callee"] as Syntax;
      const body = ((syntax["arguments"] as Syntax[])[0]?.["body"] ?? null) as Syntax | null;
      if (memberOf(callee) !== "map")
        return callee["object"] === undefined ? [] : this.#elements({ syntax: callee["object"] as Syntax, scope, file, given }, depth + 1);
      if (body === null || !isText(body)) return [];
      const inner = this.#functions.get("")?.find((f) => f.syntax["body"] === body)?.scope ?? scope;
      return this.#texts({ syntax: body, scope: inner, file }, given, depth + 1);
    }
    if (syntax.type !== "Identifier") return [];
    for (let s: Scope | null = scope; s !== null; s = s.outer) {
      const b = s.names.get(String(syntax["name"]))?.[0];
      if (b?.kind === "value") return this.#elements({ ...b.value, given }, depth + 1);
      if (b?.kind === "parameter") return this.#argumentPlaces(b, given).flatMap((place) => this.#elements(place, depth + 1));
    }
    return [];
  }

  #called(place: Place, given: Given, depth: number): string[] {
    const { syntax, scope, file } = place;
    const callee = syntax["callee"] as Syntax;
    const name = String(
      callee.type === "Identifier" ? callee["name"] : ((callee["property"] as { name?: string } | undefined)?.name ?? ""),
    );
    const first = (syntax["arguments"] as Syntax[])[0];
    if (name === "join") return this.#joined(place, given, depth);
    if (name === "String" && first !== undefined) return this.#texts({ syntax: first, scope, file }, given, depth);
    if (depth > deepest || typical.some(([known]) => known.test(name))) return [typicalFor(name)];
    let owner: Owner | undefined;
    if (callee.type === "Identifier" || (callee["object"] as Syntax | undefined)?.type === "ThisExpression") {
      const all = this.#functions.get(name) ?? [];
      const from = this.#imports.get(file)?.get(name);
      owner = all.find((f) => f.file === file) ?? all.find((f) => f.file === from) ?? (all.length === 1 ? all[0] : undefined);
    }
    if (owner === undefined) return [typicalFor(name)];
    const inside = new Map(given).set(owner, { ...place, given });
    const texts = returned(owner).flatMap((r) => (isText(r.syntax) ? this.#texts(r, inside, depth + 1) : []));
    return texts.length > 0 ? [...new Set(texts)].slice(0, most) : [typicalFor(name)];
  }
}

type Parameter = Binding & { readonly kind: "parameter" };
type Told = Place & { readonly given: Given };
type Given = ReadonlyMap<Owner, Told>;

/** The names that a source imports, and the files they come from. */
function importsOf(file: string, source: string): Map<string, string> {
  const imports = new Map<string, string>();
  for (const [, names, from] of source.matchAll(/import \{([^}]*)\} from "(\.[^"]+)"/g))
    for (const name of names!.split(",")) imports.set(name.trim().split(" as ").at(-1)!, posix.join(posix.dirname(file), from!));
  return imports;
}

function push<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

/** The names of a family of errors, with those of classes that extend one. */
function familyWith(sources: ReadonlyMap<string, string>, thrown: RegExp): RegExp {
  const own: string[] = [];
  for (const source of sources.values())
    for (const [, name, parent] of source.matchAll(/class (\w+) extends (\w+)/g)) if (thrown.test(parent!)) own.push(name!);
  return new RegExp(`${thrown.source}|^(${["-", ...own].join("|")})$`);
}

/** Whether a parameter is declared to be a number. */
function isNumber(parameter: Syntax): boolean {
  const declared = parameter["typeAnnotation"] as { readonly typeAnnotation?: { readonly type?: string } } | null | undefined;
  return declared?.typeAnnotation?.type === "TSNumberKeyword";
}

/** The name after the last dot of a callee. */
function memberOf(callee: Syntax): string | null {
  return nameOfKey({ ...callee, key: callee["property"] } as Syntax);
}

function nameOfKey(syntax: Syntax): string | null {
  const key = syntax["key"] as { name?: string; value?: unknown } | undefined;
  return key?.name ?? (typeof key?.value === "string" ? key.value : null);
}

function isText({ type }: Syntax): boolean {
  return /^(Literal|TemplateLiteral|ConditionalExpression|BinaryExpression|LogicalExpression|ParenthesizedExpression|TS\w+|Identifier|CallExpression|MemberExpression|ChainExpression)$/.test(
    type,
  );
}

function typicalFor(name: string): string {
  return typical.find(([known]) => known.test(name))?.[1] ?? "x";
}

/** The expressions a function returns. */
function returned(owner: Owner): Place[] {
  const { syntax, scope, file } = owner;
  const body = syntax["body"] as Syntax;
  if (body.type !== "BlockStatement") return [{ syntax: body, scope, file }];
  const found: Place[] = [];
  const open: unknown[] = [body];
  while (open.length > 0) {
    const node = open.shift();
    if (Array.isArray(node)) open.unshift(...(node as unknown[]));
    else if (isSyntax(node) && !functions.has(node.type)) {
      if (node.type === "ReturnStatement" && isSyntax(node["argument"])) found.push({ syntax: node["argument"], scope, file });
      else open.unshift(...Object.values(node).filter((v) => typeof v === "object" && v !== null));
    }
  }
  return found;
}

/**
 * Texts of parts that stand side by side: each alternative of each part at least once, beside two of every other part; parts that depend on one thing
 * (`tests`) go together.
 */
function aligned(parts: readonly (readonly string[])[], tests: readonly string[] = []): string[] {
  const count = Math.max(1, ...parts.map((p) => p.length));
  const several = [...new Set(parts.flatMap((p, k) => (p.length > 1 ? [tests[k] ?? String(k)] : [])))];
  const texts = [0, 1]
    .slice(0, several.length > 1 ? 2 : 1)
    .flatMap((shift) =>
      Array.from({ length: count }, (_, i) =>
        parts.map((p, k) => p[(i + shift * Math.max(0, several.indexOf(tests[k] ?? String(k)))) % p.length] ?? "").join(""),
      ),
    );
  return [...new Set(texts)].slice(0, most);
}

/** All messages of the errors of a name, ours unless another is given, in sources by file, with sentences they can be. */
export function sampledMessages(sources: ReadonlyMap<string, string>, thrown: RegExp = family): Sampled[] {
  return new Sources(sources, thrown).messages();
}
