import type { ParseError, Span } from "../ir/errors.ts";
import { clipped, parseErrorAt } from "./caret.ts";
import type { Expression, Formula, Keyword, Name, Statement, Subscript } from "./expression.ts";
import { Lexer, type Token } from "./lexer.ts";
import { LineNames } from "./line-names.ts";
import { isBinaryOperator, level, levelOf } from "./precedence.ts";
import { plainSource, type SourceText } from "./source-text.ts";
import { continuationExpected, operandExpected, type Standpoint, startsOperand } from "./unexpected-token.ts";

/** Brackets, signs and powers may nest this deep: the parser and everything after it may then use plain calls. */
export const depthLimit = 200;
/** More operands and operators than this are refused, so that a text of any size is answered in seconds. */
export const sizeLimit = 1_000_000;

/**
 * Parses a text of one or more lines to an AST with spans. Names are not looked up here: see `checkNames`.
 * @throws ParseError with a span and a caret picture for everything that is not in the notation.
 */
export function parseFormula(text: string): Formula {
  return parseSource(plainSource(text));
}

/** Parses a source that may have holes. @throws ParseError as `parseFormula` does. */
export function parseSource(source: SourceText): Formula {
  return new Parser(source).formula();
}

const operatorMissing = "an operator is missing: to multiply, write *; to call a function, f(x)";

/** A Pratt parser (V. Pratt, Top Down Operator Precedence, 1973): a loop over the operators of a level, a call only for what nests. */
class Parser {
  readonly #lexer: Lexer;
  readonly #source: string;
  readonly #holes: number;
  readonly #nodes: Expression[] = [];
  readonly #open: Token[] = [];
  readonly #names: LineNames;
  #token: Token;
  /** Where the last consumed token ends. */
  #end = 0;
  #depth = 0;

  constructor(source: SourceText) {
    this.#lexer = new Lexer(source);
    this.#source = source.text;
    this.#holes = source.holes.length;
    this.#names = new LineNames(source.text);
    this.#token = this.#lexer.next();
  }

  formula(): Formula {
    const statements: Statement[] = [];
    for (;;) {
      while (this.#token.kind === "line") this.#advance();
      if (this.#token.kind === "end") break;
      const last = statements.at(-1);
      if (last !== undefined && last.name === null)
        throw this.#error(
          last.span,
          "this value is not used: only the last line is the result. Name it (a = ...), or, to go on in the next line, end this one with the operator",
        );
      statements.push(this.#statement());
    }
    if (statements.length === 0)
      throw this.#error({ from: 0, to: this.#source.length }, "nothing to evaluate: write an expression such as (x + y) * z");
    return { source: this.#source, statements, nodes: this.#nodes, holes: this.#holes };
  }

  #statement(): Statement {
    const from = this.#token.span.from;
    let value = this.#expression(level.statement);
    let name: Name | null = null;
    if (this.#is("=") && value.kind === "name" && this.#isWhole(value, from)) {
      name = value;
      this.#nodes.pop();
      this.#advance();
      value = this.#operand('"="');
      this.#names.give(name);
    }
    if (this.#token.kind !== "line" && this.#token.kind !== "end")
      throw continuationExpected(this.#standpoint(), 'the end of the line or ";"', operatorMissing);
    return { name, value, span: { from, to: this.#end } };
  }

  /** Everything that binds tighter than `minimum`. */
  #expression(minimum: number): Expression {
    const from = this.#token.span.from;
    let left = this.#prefix();
    let compared = false;
    for (;;) {
      const { kind, value: operator, span } = this.#token;
      if (kind !== "symbol" || !isBinaryOperator(operator)) return left;
      const power = levelOf(operator);
      if (power <= minimum) return left;
      if (power === level.comparison) {
        if (compared) throw this.#error(span, "comparisons do not chain: write logicalAnd(a < b, b < c) for a < b < c");
        compared = true;
      }
      this.#advance();
      let right: Expression;
      if (power === level.power) {
        this.#enter(span);
        right = this.#operand(`"${operator}"`, power - 1);
        this.#depth--;
      } else right = this.#operand(`"${operator}"`, power);
      left = this.#node({ kind: "operation", operator, left, right, span: { from, to: this.#end } });
    }
  }

  /** An expression that has to follow `after`; it may start on the next line. */
  #operand(after: string, minimum: number = level.statement): Expression {
    const end = this.#end;
    while (this.#token.kind === "line" && this.#token.value !== ";") this.#advance();
    if (!startsOperand(this.#token)) {
      this.#end = end;
      throw operandExpected(this.#standpoint(), ` after ${after}`);
    }
    return this.#expression(minimum);
  }

  #prefix(): Expression {
    const { kind, value, span } = this.#token;
    if (kind === "symbol" && (value === "-" || value === "+")) {
      this.#enter(span);
      this.#advance();
      const operand = this.#operand(`"${value}"`, level.negation);
      this.#depth--;
      return value === "+" ? operand : this.#node({ kind: "negation", operand, span: { from: span.from, to: this.#end } });
    }
    return this.#postfix(this.#atom(), span.from, true);
  }

  /** A literal, name, hole, call, list, root or parenthesis. */
  #atom(): Expression {
    const { kind, value, number, span } = this.#token;
    switch (kind) {
      case "number":
        this.#advance();
        return this.#node({ kind: "number", value: number, span });
      case "string":
        this.#advance();
        return this.#node({ kind: "string", value, span });
      case "hole":
        this.#advance();
        return this.#node({ kind: "hole", index: number, span });
      case "name":
        this.#advance();
        if (this.#is("(")) return this.#call(value, span);
        if (!this.#is("=")) this.#names.use(value, span);
        return this.#node({ kind: "name", name: value, span });
      case "symbol":
        if (value === "(") return this.#parenthesis();
        if (value === "[") return this.#list();
        if (value === "√") return this.#root();
    }
    throw operandExpected(this.#standpoint(), "");
  }

  #parenthesis(): Expression {
    this.#openBracket();
    if (this.#is(")"))
      throw this.#error(
        { from: this.#open.at(-1)?.span.from ?? 0, to: this.#token.span.to },
        "empty parentheses: expected an expression inside",
      );
    const inner = this.#expression(level.statement);
    if (this.#is(",")) throw this.#error(this.#token.span, '"," separates the operands of a call; a list is written [a, b]');
    this.#closeBracket(")", '")"');
    return inner;
  }

  #list(): Expression {
    const { from } = this.#token.span;
    this.#openBracket();
    const items: Expression[] = [];
    while (!this.#is("]")) {
      items.push(this.#expression(level.statement));
      if (!this.#comma("]")) break;
    }
    this.#closeBracket("]", '"," or "]"');
    return this.#node({ kind: "list", items, span: { from, to: this.#end } });
  }

  #call(name: string, nameSpan: Span): Expression {
    this.#openBracket();
    const operands: Expression[] = [];
    const keywords: Keyword[] = [];
    const seen = new Set<string>();
    while (!this.#is(")")) {
      const from = this.#token.span.from;
      const operand = this.#expression(level.statement);
      if (this.#is("=") && operand.kind === "name" && this.#isWhole(operand, from)) {
        this.#nodes.pop();
        if (seen.has(operand.name))
          throw this.#error(operand.span, `${clipped(name)}: the keyword ${clipped(operand.name)} is given twice; give it once`);
        seen.add(operand.name);
        this.#advance();
        const value = this.#operand(`"${clipped(operand.name)}="`);
        keywords.push({ name: operand.name, nameSpan: operand.span, value, span: { from, to: this.#end } });
      } else if (keywords.length > 0 && !this.#is("="))
        throw this.#error(
          { from, to: this.#end },
          `${clipped(name)}: an operand after ${clipped(keywords.at(-1)?.name ?? "")}=...; put operands before keywords`,
        );
      else operands.push(operand);
      if (!this.#comma(")")) break;
    }
    this.#closeBracket(")", '"," or ")"');
    return this.#node({ kind: "call", name, nameSpan, operands, keywords, span: { from: nameSpan.from, to: this.#end } });
  }

  /** `√x`, `√(x + y)`: the root of the next name, number or bracket. */
  #root(): Expression {
    const { span } = this.#token;
    this.#enter(span);
    this.#advance();
    const from = this.#token.span.from;
    const bracket = this.#is("(");
    if (!startsOperand(this.#token) || this.#is("-") || this.#is("+"))
      throw operandExpected(this.#standpoint(), ' after "√": a name, a number or "("');
    const operand = this.#postfix(this.#atom(), from, false);
    if (!bracket && (this.#is("^") || this.#token.kind === "power"))
      throw this.#error(this.#token.span, "a power after √x can be read in two ways: write √(x^2) or (√x)^2");
    this.#depth--;
    return this.#node({
      kind: "call",
      name: "sqrt",
      nameSpan: span,
      operands: [operand],
      keywords: [],
      span: { from: span.from, to: this.#end },
    });
  }

  #postfix(start: Expression, from: number, powers: boolean): Expression {
    let operand = start;
    for (;;) {
      const { kind, value, number, span } = this.#token;
      if (kind === "symbol" && value === ".T") {
        this.#advance();
        operand = this.#node({ kind: "transpose", operand, span: { from, to: this.#end } });
      } else if (kind === "symbol" && value === "[") operand = this.#index(operand, from);
      else if (kind === "power" && powers) {
        this.#advance();
        const digits = this.#node({ kind: "number", value: Math.abs(number), span });
        const right = value.startsWith("-") ? this.#node({ kind: "negation", operand: digits, span }) : digits;
        operand = this.#node({ kind: "operation", operator: "^", left: operand, right, span: { from, to: this.#end } });
      } else if (kind === "symbol" && value === ".")
        throw this.#error(span, "only .T, the transpose, may follow a value; there are no methods: write sum(x), not x.sum()");
      else return operand;
    }
  }

  #index(operand: Expression, from: number): Expression {
    this.#openBracket();
    const subscripts: Subscript[] = [];
    if (this.#is("]")) throw this.#error({ from, to: this.#token.span.to }, "empty index: write x[0], x[1:3] or x[:, -1]");
    while (!this.#is("]")) {
      const subscript = this.#subscript();
      if (subscript.kind === "ellipsis" && subscripts.some((s) => s.kind === "ellipsis"))
        throw this.#error(
          subscript.span,
          'a second "..." in one index: which axes each stands for is not determined; write ":" for single axes',
        );
      subscripts.push(subscript);
      if (!this.#comma("]")) break;
    }
    this.#closeBracket("]", '":", "," or "]"');
    return this.#node({ kind: "index", operand, subscripts, span: { from, to: this.#end } });
  }

  #subscript(): Subscript {
    const { from, to } = this.#token.span;
    if (this.#is("...")) {
      this.#advance();
      return { kind: "ellipsis", span: { from, to } };
    }
    const start = this.#is(":") ? null : this.#expression(level.statement);
    if (!this.#is(":")) {
      const span = { from, to: this.#end };
      const index = start ?? this.#expression(level.statement);
      if (index.kind === "name" && index.name === "None" && this.#isWhole(index, from)) {
        this.#nodes.pop();
        return { kind: "newAxis", span };
      }
      return { kind: "at", index, span };
    }
    this.#advance();
    const bound = (): Expression | null => (this.#is(":") || this.#is(",") || this.#is("]") ? null : this.#expression(level.statement));
    const end = bound();
    let step: Expression | null = null;
    if (this.#is(":")) {
      this.#advance();
      step = bound();
      if (this.#is(":")) throw this.#error(this.#token.span, "a third colon: a slice is start:end:step");
    }
    return { kind: "slice", start, end, step, span: { from, to: this.#end } };
  }

  #node<E extends Expression>(node: E): E {
    if (this.#nodes.length >= sizeLimit)
      throw this.#error(
        node.span,
        `longer than ${sizeLimit.toLocaleString("en")} operands and operators (the limit); build so large a graph with functions`,
      );
    this.#nodes.push(node);
    return node;
  }

  #enter(span: Span): void {
    if (++this.#depth > depthLimit)
      throw this.#error(span, `nested too deeply (limit ${depthLimit}); name the inner parts on lines of their own: a = ...`);
  }

  #openBracket(): void {
    this.#enter(this.#token.span);
    this.#open.push(this.#token);
    this.#advance();
  }

  /** Consumes the closing bracket; `expected` says what else could have stood there. */
  #closeBracket(close: string, expected: string): void {
    if (!this.#is(close)) throw continuationExpected(this.#standpoint(), expected, operatorMissing);
    this.#open.pop();
    this.#depth--;
    this.#advance();
  }

  /** Consumes a comma; false when the list ends here. */
  #comma(close: string): boolean {
    if (this.#is(",")) {
      this.#advance();
      return true;
    }
    if (!this.#is(close) && startsOperand(this.#token))
      throw continuationExpected(this.#standpoint(), `"," or "${close}"`, "separate with a comma, or multiply with *");
    return false;
  }

  /** The next token; inside brackets a line may end anywhere. */
  #advance(): void {
    this.#end = this.#token.span.to;
    do this.#token = this.#lexer.next();
    while (this.#open.length > 0 && this.#token.kind === "line" && this.#token.value !== ";");
  }

  #is(symbol: string): boolean {
    return this.#token.kind === "symbol" && this.#token.value === symbol;
  }

  /** Whether an expression is all that was read since `from`: no parentheses around it. */
  #isWhole(node: Expression, from: number): boolean {
    return node.span.from === from && node.span.to === this.#end;
  }

  #error(span: Span, message: string): ParseError {
    return parseErrorAt(this.#source, span, message);
  }

  #standpoint(): Standpoint {
    return { source: this.#source, token: this.#token, open: this.#open.at(-1), end: this.#end };
  }
}
