import { describe, expect, test } from "vitest";
import { ParseError } from "../../src/ir/errors.ts";
import { caretPicture, positionOf } from "../../src/notation/caret.ts";
import { parseFormula, parseSource } from "../../src/notation/parser.ts";
import { templateSource } from "../../src/notation/source-text.ts";

function errorOf(run: () => unknown): ParseError {
  try {
    run();
  } catch (error) {
    if (error instanceof ParseError) return error;
    throw error;
  }
  throw new Error("no error");
}

/** The message without its place, and the marked part of the text. */
function faultOf(text: string): [message: string, marked: string] {
  const { message, span } = errorOf(() => parseFormula(text));
  return [
    message.slice(0, message.lastIndexOf(" (line ")),
    `${text.slice(0, span!.from)}⟨${text.slice(span!.from, span!.to)}⟩${text.slice(span!.to)}`,
  ];
}

const missing = "an operator is missing: to multiply, write *; to call a function, f(x)";
const equals = 'only a name at the start of a line or a keyword of a call can stand before "="; to compare, write ==';
const unused =
  "this value is not used: only the last line is the result. Name it (a = ...), or, to go on in the next line, end this one with the operator";
const methods = "only .T, the transpose, may follow a value; there are no methods: write sum(x), not x.sum()";
const tooDeep = "nested too deeply (limit 200); name the inner parts on lines of their own: a = ...";

describe("parse errors", () => {
  test.each([
    ["nothing", "", "⟨⟩", "nothing to evaluate: write an expression such as (x + y) * z"],
    ["a comment only", "# nothing\n", "⟨# nothing\n⟩", "nothing to evaluate: write an expression such as (x + y) * z"],
    ["a trailing operator", "x +", "x +⟨⟩", 'expected an operand after "+", found the end of the text'],
    ["a trailing operator before a comment", "x + # c\n", "x +⟨⟩ # c\n", 'expected an operand after "+", found the end of the text'],
    ["a trailing operator before ;", "x * ; y", "x * ⟨;⟩ y", 'expected an operand after "*", found ";"'],
    ["a trailing power", "2^-", "2^-⟨⟩", 'expected an operand after "-", found the end of the text'],
    ["a leading operator", "* x", "⟨*⟩ x", 'expected an operand, found "*"'],
    ["two operators", "x ^ * 2", "x ^ ⟨*⟩ 2", 'expected an operand after "^", found "*"'],
    ["an empty value", "a = ", "a =⟨⟩ ", 'expected an operand after "=", found the end of the text'],
    ["an empty keyword", "sum(x, axis=)", "sum(x, axis=⟨)⟩", 'expected an operand after "axis=", found ")"'],
    ["juxtaposition", "x y", "x ⟨y⟩", `expected the end of the line or ";", found "y"; ${missing}`],
    ["juxtaposed parentheses", "(a)(b)", "(a)⟨(⟩b)", `expected the end of the line or ";", found "("; ${missing}`],
    ["a number before a name", "2x", "⟨2x⟩", '"2x" is not a number; to multiply, write 2 * x'],
    ["a half exponent", "1e+", "⟨1e⟩+", '"1e" is not a number; to multiply, write 1 * e'],
    ["hexadecimal", "0x1F", "⟨0x1F⟩", '"0x1F" is not a number; numbers are decimal, as in 12, 0.5 or 1e-3'],
    ["digit groups", "1_000", "⟨1_000⟩", '"1_000" is not a number; numbers are decimal, as in 12, 0.5 or 1e-3'],
    ["two points", "1.2.3", "1.2⟨.3⟩", `expected the end of the line or ";", found ".3"; ${missing}`],
    ["too large", "1e999", "⟨1e999⟩", "1e999 is too large for a number (the largest is 1.7976931348623157e308); write inf for infinity"],
    ["an unclosed parenthesis", "(x + y", "⟨(⟩x + y", '"(" is never closed: expected ")", found the end of the text'],
    [
      "an unclosed inner parenthesis",
      "x * (y + (z - 1) # )",
      "x * ⟨(⟩y + (z - 1) # )",
      '"(" is never closed: expected ")", found the end of the text',
    ],
    ["an unclosed call", "f(x", "f⟨(⟩x", '"(" is never closed: expected "," or ")", found the end of the text'],
    ["a call opened at the end", "f(", "f⟨(⟩", '"(" is never closed: expected ")", found the end of the text'],
    ["an unclosed list", "[1, 2", "⟨[⟩1, 2", '"[" is never closed: expected "," or "]", found the end of the text'],
    ["an unclosed index", "x[1:", "x⟨[⟩1:", '"[" is never closed: expected "]", found the end of the text'],
    ["a stray )", "x + y)", "x + y⟨)⟩", '")" closes nothing: there is no "(" before it'],
    ["a stray ]", "x]", "x⟨]⟩", '"]" closes nothing: there is no "[" before it'],
    ["the wrong bracket", "f(x]", "f(x⟨]⟩", 'expected "," or ")", found "]"; the "(" of line 1, column 2 is still open'],
    [
      "the wrong bracket on another line",
      "a = 1\n[a, (a]",
      "a = 1\n[a, (a⟨]⟩",
      'expected ")", found "]"; the "(" of line 2, column 5 is still open',
    ],
    ["empty parentheses", "()", "⟨()⟩", "empty parentheses: expected an expression inside"],
    ["a tuple", "(a, b)", "(a⟨,⟩ b)", '"," separates the operands of a call; a list is written [a, b]'],
    ["a comma outside", "a, b", "a⟨,⟩ b", 'expected the end of the line or ";", found ","; "," separates the operands of a call or list'],
    ["a missing comma", "f(a b)", "f(a ⟨b⟩)", 'expected "," or ")", found "b"; separate with a comma, or multiply with *'],
    ["a missing comma in a list", "[1 2]", "[1 ⟨2⟩]", 'expected "," or "]", found "2"; separate with a comma, or multiply with *'],
    ["two commas", "f(x,,y)", "f(x,⟨,⟩y)", 'expected an operand, found ","; "," separates the operands of a call or list'],
    ["a semicolon in a call", "f(x;y)", "f(x⟨;⟩y)", 'expected "," or ")", found ";"'],
    ["an operand after a keyword", "f(a=1, b)", "f(a=1, ⟨b⟩)", "f: an operand after a=...; put operands before keywords"],
    ["a keyword twice", "f(a=1, a=2)", "f(a=1, ⟨a⟩=2)", "f: the keyword a is given twice; give it once"],
    ["a chain of comparisons", "a < b < c", "a < b ⟨<⟩ c", "comparisons do not chain: write logicalAnd(a < b, b < c) for a < b < c"],
    ["= in an expression", "x + 1 = 2", "x + 1 ⟨=⟩ 2", equals],
    ["= in parentheses", "(x = 1)", "(x ⟨=⟩ 1)", equals],
    ["= after parentheses", "(x) = 1", "(x) ⟨=⟩ 1", equals],
    ["= in an argument", "f(x + 1 = 2)", "f(x + 1 ⟨=⟩ 2)", equals],
    ["= at the start", "= x", "⟨=⟩ x", 'expected an operand, found "="; to compare, write =='],
    ["a reserved name", "true = 1", "⟨true⟩ = 1", '"true" is reserved; give this value another name'],
    ["a dotted name", "a.b = 1", "⟨a.b⟩ = 1", '"a.b" has a dot; the name of a line has none: write a_b'],
    ["a second value", "a = 1\na = 2\na", "a = 1\n⟨a⟩ = 2\na", '"a" already has a value (line 1); give this one another name'],
    [
      "a name used before",
      "y = x\nx = 2",
      "y = x\n⟨x⟩ = 2",
      '"x" is already used at line 1, column 5, before it gets this value; give this value another name',
    ],
    [
      "a name on both sides",
      "x = x + 1",
      "⟨x⟩ = x + 1",
      '"x" is already used at line 1, column 5, before it gets this value; give this value another name',
    ],
    ["an unused line", "mean(x)\n+ y", "⟨mean(x)⟩\n+ y", unused],
    ["a method", "(x).sum()", "(x)⟨.⟩sum()", methods],
    ["a dot at the end", "x.", "x⟨.⟩", methods],
    ["an empty index", "x[]", "⟨x[]⟩", "empty index: write x[0], x[1:3] or x[:, -1]"],
    ["a third colon", "x[1:2:3:4]", "x[1:2:3⟨:⟩4]", "a third colon: a slice is start:end:step"],
    [
      "two ellipses",
      "x[..., ...]",
      "x[..., ⟨...⟩]",
      'a second "..." in one index: which axes each stands for is not determined; write ":" for single axes',
    ],
    ["a slice outside", "a:b", "a⟨:⟩b", 'expected the end of the line or ";", found ":"; ":" stands in an index, as in x[1:3]'],
    ["a root of a minus", "√-x", "√⟨-⟩x", 'expected an operand after "√": a name, a number or "(", found "-"'],
    ["a power of a root", "√x^2", "√x⟨^⟩2", "a power after √x can be read in two ways: write √(x^2) or (√x)^2"],
    ["a superscript power of a root", "√x²", "√x⟨²⟩", "a power after √x can be read in two ways: write √(x^2) or (√x)^2"],
    ["half a superscript", "x⁻", "x⟨⁻⟩", '"⁻" is not a power; write x^(...) for anything but a whole number'],
    ["an unclosed text", 'f(mode="edge)', 'f(mode=⟨"⟩edge)', 'this text is never closed: expected a second " on the same line'],
    ["an unknown character", "x € y", "x ⟨€⟩ y", 'unknown character "€"'],
    ["an astral character", "x 😀", "x ⟨😀⟩", 'unknown character "😀"'],
    ["an invisible character", "x\u0000", "x⟨\u0000⟩", "unknown character U+0000"],
    ["parentheses too deep", "(".repeat(100_000), `${"(".repeat(200)}⟨(⟩${"(".repeat(99_799)}`, tooDeep],
    ["calls too deep", "f(".repeat(300), `${"f(".repeat(200)}f⟨(⟩${"f(".repeat(99)}`, tooDeep],
    ["lists too deep", "[".repeat(300), `${"[".repeat(200)}⟨[⟩${"[".repeat(99)}`, tooDeep],
    ["indices too deep", "x[".repeat(300), `${"x[".repeat(200)}x⟨[⟩${"x[".repeat(99)}`, tooDeep],
    ["signs too deep", "-".repeat(300), `${"-".repeat(200)}⟨-⟩${"-".repeat(99)}`, tooDeep],
    ["powers too deep", "2^".repeat(300), `${"2^".repeat(200)}2⟨^⟩${"2^".repeat(99)}`, tooDeep],
    ["roots too deep", "√".repeat(300), `${"√".repeat(200)}⟨√⟩${"√".repeat(99)}`, tooDeep],
  ])("%s", (_, text, marked, message) => {
    expect(faultOf(text)).toEqual([message, marked]);
  });

  test.each([
    ["x % y", "the remainder is mod(x, y)"],
    ["!x", "logical not is logicalNot(x); not equal is !="],
    ["x && y", "logical and is logicalAnd(x, y)"],
    ["|x|", "the absolute value is abs(x), logical or is logicalOr(x, y)"],
    ["~x", "logical not is logicalNot(x)"],
    ["f(mode='edge')", 'texts stand in double quotes, as in mode="edge"; a transpose is x.T'],
    ["`x`", 'texts stand in double quotes, as in mode="edge"'],
    ["“x”", 'texts stand in double quotes, as in mode="edge"'],
    ["{x}", "group with ( ) and list with [ ]"],
    ["x ? y : z", "choose with where(test, x, y)"],
    ["$x", `a hole of a template is \${x}, with braces`],
    ["\\frac{a}{b}", "LaTeX is not read here: write sqrt(x), x / y, alpha"],
    ["∑x", "a sum is sum(x)"],
    ["∏x", "a product is prod(x)"],
    ["f（x）", "use the ASCII ( )"],
    ["f(x，y)", "use the ASCII comma"],
    ["x – y", "a minus is -"],
  ])("%s: advice", (text, advice) => {
    expect(faultOf(text)[0]).toMatch(/^unknown character ".+"; /);
    expect(faultOf(text)[0].endsWith(`; ${advice}`)).toBe(true);
  });

  test("a nesting of 200 is fine", () => {
    for (const [open, close] of [
      ["(", ")"],
      ["f(", ")"],
      ["[", "]"],
      ["-", ""],
      ["2^", ""],
    ] as const)
      expect(parseFormula(`${open.repeat(200)}x${close.repeat(200)}`).statements).toHaveLength(1);
  });
});

describe("caret pictures", () => {
  test("a whole message", () => {
    const error = errorOf(() => parseFormula("a = x * 2\nb = (a + x * 3\n"));
    expect(error.message).toBe(
      '"(" is never closed: expected ")", found the end of the text (line 2, column 5)\n  b = (a + x * 3\n      ^',
    );
    expect(error).toMatchObject({ code: "parse", name: "ParseError", span: { from: 14, to: 15 }, source: "a = x * 2\nb = (a + x * 3\n" });
  });

  test("a template's caret points into the template", () => {
    const source = (strings: TemplateStringsArray, ..._: readonly number[]): unknown => parseSource(templateSource(strings));
    expect(errorOf(() => source`(1 - ${1})^2 + 100 * ${2} ${3}`).message).toBe(
      `expected the end of the line or ";", found a hole; ${missing} (line 1, column 27)\n  (1 - \${…})^2 + 100 * \${…} \${…}\n                            ^^^^`,
    );
    expect(errorOf(() => source`f(mode="${1}")`).message).toMatch(
      /^a hole cannot stand inside a quoted text; write the attribute's word itself/,
    );
  });

  test("wide letters take two columns, marks none, tabs stay", () => {
    expect(caretPicture("가중치 + ?", { from: 6, to: 7 })).toBe("  가중치 + ?\n           ^");
    expect(caretPicture("가 나", { from: 2, to: 3 })).toBe("  가 나\n     ^^");
    expect(caretPicture("e\u0301 ?", { from: 3, to: 4 })).toBe("  e\u0301 ?\n    ^");
    expect(caretPicture("\tx ?", { from: 3, to: 4 })).toBe("  \tx ?\n  \t  ^");
  });

  test("long lines are cut around the fault, also between the halves of a character", () => {
    const [top, bottom] = caretPicture(`${"a".repeat(500)}!${"b".repeat(500)}`, { from: 500, to: 501 }).split("\n");
    expect(top).toBe(`  …${"a".repeat(60)}!${"b".repeat(39)}…`);
    expect(bottom!.indexOf("^")).toBe(top!.indexOf("!"));
    const astral = caretPicture(`${"😀".repeat(100)}x`, { from: 199, to: 200 });
    expect(encodeURIComponent(astral)).toContain("%F0%9F%98%80");
  });

  test("a span over lines is marked to the end of its first", () => {
    expect(caretPicture("ab\ncd", { from: 1, to: 5 })).toBe("  ab\n   ^");
    expect(caretPicture("ab\ncd", { from: 3, to: 5 })).toBe("  cd\n  ^^");
    expect(caretPicture("ab", { from: 9, to: 9 })).toBe("  ab\n    ^");
  });

  test("lines and columns are counted from 1, columns in characters", () => {
    expect(positionOf("", 0)).toEqual({ line: 1, column: 1 });
    expect(positionOf("ab\ncd", 2)).toEqual({ line: 1, column: 3 });
    expect(positionOf("ab\ncd", 3)).toEqual({ line: 2, column: 1 });
    expect(positionOf("\n\n😀x", 4)).toEqual({ line: 3, column: 2 });
  });
});
