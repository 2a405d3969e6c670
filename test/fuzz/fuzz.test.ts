import { checkPrograms } from "./check-programs.ts";

// `npm run test:long` draws thousands of longer ones.
checkPrograms(process.env["CHAINRULE_FAST"] === "1" ? 10 : 60, 6, 12);
