import { spawn } from "node:child_process";
import { platform } from "node:os";

/**
 * The program that opens an address on this system; null where there is no screen to open it on.
 * @param env the environment: a Linux without a display has no browser to open
 */
export function opener(system: NodeJS.Platform, env: Readonly<Record<string, string | undefined>>): readonly string[] | null {
  if (system === "darwin") return ["open"];
  if (system === "win32") return ["rundll32", "url.dll,FileProtocolHandler"];
  return env["DISPLAY"] || env["WAYLAND_DISPLAY"] ? ["xdg-open"] : null;
}

/** Opens an address in the reader's browser, if there is one; that there is none is no error, since the address was printed. */
export function openBrowser(url: string, env: Readonly<Record<string, string | undefined>>): void {
  const found = opener(platform(), env);
  if (found === null) return;
  const [file, ...before] = found;
  const child = spawn(file!, [...before, url], { stdio: "ignore", detached: true });
  child.on("error", () => undefined);
  child.unref();
}
