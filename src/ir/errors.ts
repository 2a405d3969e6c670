/** The literal codes of the error family: what a program switches on. */
export type ErrorCode = "shape" | "dtype" | "domain" | "numeric" | "gradient" | "parse" | "engine" | "graph" | "internal";

/** A half-open range of UTF-16 offsets in a source text. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** Facts that come with an error, for programs; the message already says them to people. */
export interface ErrorFacts {
  readonly op?: string;
  readonly span?: Span;
  /** The text that `span` points into. */
  readonly source?: string;
  readonly cause?: unknown;
}

/** The base of every error this library throws on purpose. `code` is a literal for programs; `message` is a lesson for people. */
export abstract class ChainruleError extends Error {
  abstract readonly code: ErrorCode;
  // Facts that are not there are no properties, which hosts would print behind the message.
  declare readonly op: string | undefined;
  /** Where in an expression or file the fault lies, when it came from text. */
  declare span: Span | undefined;
  declare source: string | undefined;
  constructor(message: string, { cause, ...facts }: ErrorFacts = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    Object.assign(this, facts);
  }
}

/** Shapes, ranks, axes or sizes that do not fit together. */
export class ShapeError extends ChainruleError {
  readonly code = "shape";
}
/** An element type that an op does not take, or a mixture of two. */
export class DTypeError extends ChainruleError {
  readonly code = "dtype";
}
/** A value outside what an op is defined on: an index out of range, an integer division by zero, a bad attribute. */
export class DomainError extends ChainruleError {
  readonly code = "domain";
}
/** A result that is not finite where it was asked to be. */
export class NumericError extends ChainruleError {
  readonly code = "numeric";
}
/** A derivative that cannot be taken: of a constant, of an integer, of a non-scalar, or where a rule is missing. */
export class GradientError extends ChainruleError {
  readonly code = "gradient";
}
/** Text or bytes that are not what their format says. `span` points at the fault. */
export class ParseError extends ChainruleError {
  readonly code = "parse";
}
/** An engine, program or state used in a way it does not support. */
export class EngineError extends ChainruleError {
  readonly code = "engine";
}
/** A graph or tree that is not well formed, or a value read where it has none. */
export class GraphError extends ChainruleError {
  readonly code = "graph";
}
/** A fault of ours, never the caller's: please report it. */
export class InternalError extends ChainruleError {
  readonly code = "internal";
}
