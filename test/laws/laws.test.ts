import { checkEveryOp } from "./check-every-op.ts";

// `npm test` draws 24 cases an op; a sixth of them in the fast suite.
checkEveryOp(process.env["CHAINRULE_FAST"] === "1" ? 2 : 24, 4);
