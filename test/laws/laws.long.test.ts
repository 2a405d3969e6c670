import { checkEveryOp } from "./check-every-op.ts";

checkEveryOp(1500, 20);
