#!/usr/bin/env node
// In a clone the sources lie beside this file, so build first where dist is missing or old; an installed package has dist alone.
import { existsSync } from "node:fs";
import module from "node:module";

// Node 22.8 and later keep compiled code for the next start, in the system's folder for such files: reading the library takes half of the processor time.
/** @type {{ enableCompileCache?: () => unknown }} */ (module).enableCompileCache?.();

const ensureBuilt = new URL("../scripts/ensure-built.js", import.meta.url);
if (existsSync(ensureBuilt)) (await import(ensureBuilt.href)).ensureBuilt();
const cli = new URL("../dist/cli.js", import.meta.url);
await import(cli.href);
