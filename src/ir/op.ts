// The types of an op and of its nodes need each other, so they are declared in one file.
export type {
  AnyOp,
  BatchRegions,
  BatchRule,
  Body,
  BodyBatch,
  BodyPullback,
  BodyPushforward,
  Flow,
  ForwardRegions,
  Interval,
  Operand,
  OpFacts,
  Reach,
  Regions,
  RunBody,
  Slot,
} from "./node.ts";
