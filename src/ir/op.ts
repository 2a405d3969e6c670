// The types of an op and of its nodes need each other, so they are declared in one file.
export type { AnyOp, Flow, Interval, Operand, OpFacts, Slot } from "./node.ts";
