import type { Command, Options } from "./command.ts";
import { exitCodes } from "./io.ts";
import { UsageError } from "./usage-error.ts";

/** `chainrule studio`: the page, served on this machine. */
export const studioCommand: Command = {
  name: "studio",
  usage: ["chainrule studio [--port PORT] [--host ADDRESS] [--lang LANGUAGE]"],
  summary: "open the studio: graphs, steps, training and models in a page",
  details:
    "Serves the studio's own files on 127.0.0.1, prints the address and opens a browser where there is one. Nothing leaves this machine: the page may\n" +
    "load only itself. Ctrl-C ends it. Another --host than 127.0.0.1 lets other machines open the page; threads need https or localhost there.",
  options: [
    { name: "port", value: "PORT", about: "the port to listen on; one that is free when left out" },
    { name: "host", value: "ADDRESS", about: "the address to listen on; 127.0.0.1 when left out" },
    { name: "lang", value: "LANGUAGE", about: "en or ko; as the browser has it when left out" },
    { name: "quiet", about: "open no browser" },
  ],
  examples: ["chainrule studio", "chainrule studio --port 8080 --quiet"],
  run: async ({ words, options }, io) => {
    if (words.length > 0)
      throw new UsageError(`studio takes no words, but was given "${words[0]!.slice(0, 40)}"; drop files on its page`, "studio");
    const port = portIn(options);
    const host = String(options.get("host") ?? "127.0.0.1");
    const lang = options.get("lang");
    if (lang !== undefined && lang !== "en" && lang !== "ko")
      throw new UsageError(`--lang ${String(lang).slice(0, 40)} is not there; en and ko are`, "studio");
    const { runStudio } = await import("./studio/run-studio.ts");
    await runStudio({ host, port, open: !options.has("quiet"), query: lang === undefined ? "" : `?lang=${lang}` }, io);
    return exitCodes.done;
  },
};

function portIn(options: Options): number {
  const given = options.get("port");
  if (given === undefined) return 0;
  const port = Number(given);
  if (/^\d{1,5}$/.test(String(given)) && port <= 65535) return port;
  throw new UsageError(`--port ${String(given).slice(0, 40)} is no port; ports are 1 to 65535, and 0 takes one that is free`, "studio");
}
