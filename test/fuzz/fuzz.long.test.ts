import { describe } from "vitest";
import { checkPrograms } from "./check-programs.ts";

/** One seed a day, say, with CHAINRULE_SEED; the programs of the seeds in a row do not overlap. */
const seed = Number(process.env["CHAINRULE_SEED"] ?? 20_261_128);

describe("long programs", () => {
  for (let part = 0; part < 4; part++) checkPrograms(500, seed + part, 30);
});

describe("short programs", () => {
  checkPrograms(2000, seed + 100, 6);
});
