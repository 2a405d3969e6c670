import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ParseError } from "../../src/ir/errors.ts";
import type { Expression } from "../../src/notation/expression.ts";
import { parseFormula, parseSource } from "../../src/notation/parser.ts";
import { printExpression } from "../../src/notation/print-expression.ts";
import { templateSource } from "../../src/notation/source-text.ts";
import { anyCharacter, bare, someExpression } from "./expressions.ts";

function parsed(text: string): Expression {
  const { statements } = parseFormula(text);
  expect(statements).toHaveLength(1);
  return statements[0]!.value;
}

/** Every operation in parentheses. */
function grouped(node: Expression): string {
  if (node.kind === "operation") return `(${grouped(node.left)}${node.operator}${grouped(node.right)})`;
  if (node.kind === "negation") return `(-${grouped(node.operand)})`;
  if (node.kind === "transpose") return `(${grouped(node.operand)}.T)`;
  if (node.kind === "call") return `${node.name}(${node.operands.map(grouped).join()})`;
  return printExpression(node);
}

function template(strings: TemplateStringsArray, ..._holes: readonly unknown[]): ReturnType<typeof parseSource> {
  return parseSource(templateSource(strings));
}

describe("precedence", () => {
  test.each([
    ["-x^2", "(-(x^2))"],
    ["2^-x", "(2^(-x))"],
    ["2^-x^2", "(2^(-(x^2)))"],
    ["--x", "(-(-x))"],
    ["-+-x", "(-(-x))"],
    ["+x - +y", "(x-y)"],
    ["a^b^c", "(a^(b^c))"],
    ["a**b**c", "(a^(b^c))"],
    ["a - b - c", "((a-b)-c)"],
    ["a / b * c", "((a/b)*c)"],
    ["a @ b @ c", "((a@b)@c)"],
    ["a + b * c", "(a+(b*c))"],
    ["-a * b", "((-a)*b)"],
    ["a * -b", "(a*(-b))"],
    ["2^-x * y", "((2^(-x))*y)"],
    ["a + b < c * d", "((a+b)<(c*d))"],
    ["x @ w.T", "(x@(w.T))"],
    ["-x.T^2", "(-((x.T)^2))"],
    ["x²·y", "((x^2)*y)"],
    ["-x²", "(-(x^2))"],
    ["2^x²", "(2^(x^2))"],
    ["x⁻¹", "(x^(-1))"],
    ["√x * y", "(sqrt(x)*y)"],
    ["√(x)^2", "(sqrt(x)^2)"],
    ["√√x", "sqrt(sqrt(x))"],
    ["a ≤ b", "(a<=b)"],
    ["a ≠ b", "(a!=b)"],
    ["a × b ÷ c − d", "(((a*b)/c)-d)"],
    ["xᵀ @ y", "((x.T)@y)"],
    ["x.T.T", "((x.T).T)"],
    ["a +\n b", "(a+b)"],
    ["(a\n + b)", "(a+b)"],
    ["f(a,\n b,)", "f(a,b)"],
    [".5 + 2. + 1e3 + 1E-3", "(((0.5+2)+1000)+0.001)"],
    ["∞", "inf"],
    ["e.T + 2e", ""],
  ])("%s", (text, expected) => {
    if (expected === "") expect(() => parsed(text)).toThrow(ParseError);
    else expect(grouped(parsed(text))).toBe(expected);
  });
});

describe("names", () => {
  test.each(["x", "w₀", "가중치", "θ", "x'", "x′", "∂L", "∇f", "fc1.w", "blocks.0.attn.w", "T", "_", "α₁₂", "é"])(
    "%s is one name",
    (name) => {
      expect(parsed(name)).toMatchObject({ kind: "name", name: name.normalize("NFC") });
    },
  );

  test("a decomposed name is the composed one; its span stays that of the source", () => {
    const decomposed = "가".normalize("NFD");
    expect(decomposed).toHaveLength(2);
    expect(parsed(`${decomposed} + 1`)).toMatchObject({ left: { name: "가", span: { from: 0, to: 2 } } });
  });

  test("a last .T is the transpose, a path that only starts with T is not", () => {
    expect(grouped(parsed("fc1.w.T"))).toBe("(fc1.w.T)");
    expect(parsed("fc1.w.T")).toMatchObject({ kind: "transpose", operand: { name: "fc1.w" } });
    expect(parsed("x.Theta")).toMatchObject({ kind: "name", name: "x.Theta" });
    expect(parsed("x.T'")).toMatchObject({ kind: "name", name: "x.T'" });
  });
});

describe("calls, indices, lines", () => {
  test("operands and keywords", () => {
    expect(bare(parsed('pad(x, pads=[[0, 1]], mode="edge", value=-1)'))).toMatchObject({
      kind: "call",
      name: "pad",
      operands: [{ name: "x" }],
      keywords: [
        { name: "pads", value: { kind: "list", items: [{ kind: "list", items: [{ value: 0 }, { value: 1 }] }] } },
        { name: "mode", value: { kind: "string", value: "edge" } },
        { name: "value", value: { kind: "negation", operand: { value: 1 } } },
      ],
    });
  });

  test("subscripts", () => {
    const node = parsed("x[1:, -1, ::2, None, ..., :, a:b:-1]");
    expect(node.kind === "index" && node.subscripts.map((s) => s.kind)).toEqual([
      "slice",
      "at",
      "slice",
      "newAxis",
      "ellipsis",
      "slice",
      "slice",
    ]);
    expect(bare(node)).toMatchObject({
      subscripts: [
        { start: { value: 1 }, end: null, step: null },
        {},
        { start: null, step: { value: 2 } },
        {},
        {},
        {},
        { end: { name: "b" } },
      ],
    });
    expect(parsed("x…[1]".replace("…", ""))).toMatchObject({ kind: "index" });
    expect(bare(parsed("x[…, 0]"))).toMatchObject({ subscripts: [{ kind: "ellipsis" }, { kind: "at" }] });
  });

  test("lines end at line ends and semicolons; comments end with the line; the last line is the result", () => {
    const { statements } = parseFormula("# start\na = x + 1; b = a * a # twice\n\n b - 1;\n");
    expect(statements.map((s) => s.name?.name)).toEqual(["a", "b", undefined]);
  });

  test("a name may be pi or e, and a result may be an assignment", () => {
    expect(parseFormula("e = 3\npi = e").statements.map((s) => s.name?.name)).toEqual(["e", "pi"]);
  });
});

describe("templates", () => {
  test("holes are numbered in order, also after one in a comment", () => {
    const { statements, holes } = template`${1} + # not ${2} here
      ${3}`;
    expect(holes).toBe(3);
    expect(bare(statements[0]!.value)).toMatchObject({ left: { kind: "hole", index: 0 }, right: { kind: "hole", index: 2 } });
  });

  test("the text between holes is read as written", () => {
    expect(() => template`${1} \q ${2}`).toThrow(/unknown character "\\\\"; LaTeX is not read here/);
    expect(() => template`a${1}`).toThrow(/expected the end of the line or ";", found a hole/);
    expect(() => template`2e${1}`).toThrow(ParseError);
  });
});

describe("spans", () => {
  test("parsing what a span covers gives that node again", () => {
    fc.assert(
      fc.property(someExpression, (expression) => {
        const { nodes, source } = parseFormula(printExpression(expression));
        for (const node of nodes) {
          const inner = parseFormula(source.slice(node.span.from, node.span.to)).statements[0]!.value;
          expect(bare(inner)).toEqual(bare(node));
        }
      }),
      { numRuns: process.env["CHAINRULE_FAST"] === "1" ? 100 : 500, seed: 4 },
    );
  });

  test("parentheses belong to what is around them", () => {
    const node = parsed("(a + b) * (c)");
    expect(node).toMatchObject({ span: { from: 0, to: 13 }, left: { span: { from: 1, to: 6 } }, right: { span: { from: 11, to: 12 } } });
  });

  test("calls, keywords and subscripts", () => {
    expect(parsed(" sum( x , axis = 1 )")).toMatchObject({
      span: { from: 1, to: 20 },
      nameSpan: { from: 1, to: 4 },
      keywords: [{ span: { from: 10, to: 18 }, nameSpan: { from: 10, to: 14 } }],
    });
    expect(parsed("x[ 1 : 2, 3]")).toMatchObject({ subscripts: [{ span: { from: 3, to: 8 } }, { span: { from: 10, to: 11 } }] });
  });

  test("nodes come after their parts", () => {
    const { nodes } = parseFormula("a = f(x, k=y[1:2])^2\n-a");
    expect(nodes.map((n) => printExpression(n))).toEqual([
      "x",
      "y",
      "1",
      "2",
      "y[1:2]",
      "f(x, k=y[1:2])",
      "2",
      "f(x, k=y[1:2])^2",
      "a",
      "-a",
    ]);
  });
});

describe("random texts", () => {
  test("give an expression or a ParseError whose span lies in the text", () => {
    const pieces = fc.constantFrom(
      "x",
      "y",
      "1",
      ".",
      "5",
      "e",
      "+",
      "-",
      "*",
      "/",
      "^",
      "(",
      ")",
      "[",
      "]",
      ",",
      "=",
      "==",
      "<",
      ":",
      ";",
      "\n",
      " ",
      "T",
      "sum",
      '"',
      "√",
      "²",
      "가",
      "'",
      "#",
      "...",
      "None",
      "$",
      "😀",
    );
    const text = fc.oneof(
      fc.array(pieces, { maxLength: 25 }).map((list) => list.join("")),
      fc.string({ unit: anyCharacter, maxLength: 30 }),
      fc.string({ maxLength: 30 }),
    );
    let good = 0;
    fc.assert(
      fc.property(text, (source) => {
        try {
          parseFormula(source);
          good++;
        } catch (error) {
          if (!(error instanceof ParseError)) throw error;
          const { span } = error;
          expect(span!.from).toBeGreaterThanOrEqual(0);
          expect(span!.to).toBeGreaterThanOrEqual(span!.from);
          expect(span!.to).toBeLessThanOrEqual(source.length);
          expect(error.source).toBe(source);
          expect(error.message).toMatch(/\(line \d+, column \d+\)\n {2}.*\n {2}\s*\^+$/);
        }
      }),
      { numRuns: process.env["CHAINRULE_FAST"] === "1" ? 2_000 : 20_000, seed: 5 },
    );
    expect(good).toBeGreaterThan(200);
  });
});
