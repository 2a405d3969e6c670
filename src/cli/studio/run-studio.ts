import type { CommandIo } from "../io.ts";
import { UsageError } from "../usage-error.ts";
import { openBrowser } from "./open-browser.ts";
import { runtimeFolder } from "./runtime.ts";
import { serve } from "./serve.ts";
import { readSite, siteFolder } from "./site.ts";

/** Where to listen, and whether to open a browser there. */
export interface StudioSettings {
  readonly host: string;
  readonly port: number;
  readonly open: boolean;
  /** Behind the address: `?lang=ko`. */
  readonly query: string;
}

/**
 * Serves the studio until Ctrl-C.
 * @throws UsageError when the address cannot be listened on, or the package was built without the studio
 */
export async function runStudio({ host, port, open, query }: StudioSettings, io: CommandIo): Promise<void> {
  const folder = siteFolder();
  if (folder === null) throw new UsageError("studio: this copy of chainrule was built without the studio; run npm run build", "");
  const site = await readSite(folder, runtimeFolder());
  const serving = await serve(site, host, port).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(reasonOf(error, host, port), "studio");
  });
  try {
    await io.write(`${serving.url}${query}\n`);
    io.writeError("The studio is open at this address; Ctrl-C ends it.\n");
    if (open && io.isTerminal.output) openBrowser(`${serving.url}${query}`, io.env);
    await new Promise<void>((resolve) => io.onInterrupt?.(resolve));
  } finally {
    await serving.close();
  }
}

function reasonOf(error: NodeJS.ErrnoException, host: string, port: number): string {
  if (error.code === "EADDRINUSE") return `port ${port} of ${host} is taken by another program; leave --port out for one that is free`;
  if (error.code === "EACCES") return `port ${port} needs more rights than this user has; take one above 1023`;
  return `cannot listen on ${host.slice(0, 80)} (${error.code ?? error.message}); give --host an address of this machine, such as 127.0.0.1`;
}
