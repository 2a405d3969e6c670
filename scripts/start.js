// `npm start`: the main job, examples/start.js. Written in plain JavaScript and importing "chainrule" as a user does, so it runs on the built package.
import { ensureBuilt } from "./ensure-built.js";

ensureBuilt();
const example = new URL("../examples/start.js", import.meta.url);
await import(example.href);
