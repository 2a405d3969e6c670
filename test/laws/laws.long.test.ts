import { checkEveryOp } from "./check-every-op.ts";

checkEveryOp(1500, Number(process.env["CHAINRULE_SEED"] ?? 20));
