import { checkPrograms } from "./check-programs.ts";

checkPrograms(60, 6, 12);
