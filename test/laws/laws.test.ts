import { checkEveryOp } from "./check-every-op.ts";

checkEveryOp(24, 4);
