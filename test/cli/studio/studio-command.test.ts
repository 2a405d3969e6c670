import { createServer } from "node:net";
import { describe, expect, test } from "vitest";
import { run } from "../../../src/cli/run.ts";
import { runCli } from "../run-cli.ts";

/** Starts the studio and, once it has printed its address, asks for the page and presses Ctrl-C. */
async function visit(args: readonly string[]): Promise<{ code: number; out: string; page: string }> {
  let out = "";
  let page = "";
  let stop: () => void = () => undefined;
  const code = await run(["studio", ...args], {
    write: async (text) => {
      out += text;
      setTimeout(async () => {
        page = await (await fetch(text.trim())).text();
        stop();
      }, 0);
    },
    writeError: () => undefined,
    isTerminal: { output: false, error: false },
    env: {},
    readBytes: async function* () {},
    version: "1.2.3",
    onInterrupt: (called) => {
      stop = called;
      return () => undefined;
    },
  });
  return { code, out, page };
}

describe("chainrule studio", () => {
  test("prints an address on this machine, serves the page there, and ends with Ctrl-C", async () => {
    const { code, out, page } = await visit(["--quiet", "--lang", "ko"]);
    expect(out).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/\?lang=ko\n$/);
    expect(page).toContain('<div id="app">');
    expect(code).toBe(0);
    await expect(fetch(out.trim())).rejects.toThrow();
  });

  test("listens on the port and under the name that are asked for", async () => {
    const free = createServer();
    await new Promise<void>((resolve) => free.listen(0, "127.0.0.1", resolve));
    const { port } = free.address() as { port: number };
    await new Promise((resolve) => free.close(resolve));
    const { code, out, page } = await visit(["--port", String(port), "--host", "localhost"]);
    expect(out).toBe(`http://localhost:${port}/\n`);
    expect(page).toContain('<div id="app">');
    expect(code).toBe(0);
    // On all addresses: what is printed is one that this machine can open.
    const all = await visit(["--host", "0.0.0.0"]);
    expect(all.out).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/\n$/);
    expect(all.page).toContain('<div id="app">');
  });

  test("says which port is taken", async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    const { port } = taken.address() as { port: number };
    const { code, err } = await runCli(["studio", "--port", String(port)]);
    taken.close();
    expect(code).toBe(2);
    expect(err).toContain(`port ${port} of 127.0.0.1 is taken by another program; leave --port out for one that is free`);
  });

  test.each([
    [["--port", "70000"], "--port 70000 is no port; ports are 1 to 65535"],
    [["--port", "8o80"], "--port 8o80 is no port"],
    [["--lang", "fr"], "--lang fr is not there; en and ko are"],
    [["model.onnx"], 'studio takes no words, but was given "model.onnx"; drop files on its page'],
    [["--host", "203.0.113.1"], "cannot listen on 203.0.113.1 (EADDRNOTAVAIL); give --host an address of this machine"],
  ])("refuses %j", async (args, message) => {
    const { code, err } = await runCli(["studio", ...args]);
    expect(code).toBe(2);
    expect(err).toContain(message);
  });
});
