import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { commonHeaders } from "./headers.ts";
import type { Site } from "./site.ts";

/** A server that runs: its address, and how to end it. */
export interface Serving {
  readonly url: string;
  close(): Promise<void>;
}

/** The names under which a server that listens on one address may be asked; null: any, because it listens on all. */
function namesOf(host: string): ReadonlySet<string> | null {
  if (host === "0.0.0.0" || host === "::") return null;
  return new Set(["127.0.0.1", "localhost", "[::1]", host.includes(":") ? `[${host}]` : host]);
}

/**
 * Serves a site. It answers GET and HEAD for the site's own addresses and 404 for every other: what it may read was listed when it began. A request under the
 * name of another host is refused (421), so that a page elsewhere cannot reach it by pointing its own name here (DNS rebinding).
 * @param port the port, 0 for any that is free
 * @throws the system's error when the address cannot be listened on
 */
export async function serve(site: Site, host: string, port: number): Promise<Serving> {
  const names = namesOf(host);
  const server = createServer((request, response) => answer(site, names, request, response));
  await listen(server, host, port);
  const { port: taken } = server.address() as AddressInfo;
  const shown = names === null ? "127.0.0.1" : host.includes(":") ? `[${host}]` : host;
  return {
    url: `http://${shown}:${taken}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function answer(site: Site, names: ReadonlySet<string> | null, request: IncomingMessage, response: ServerResponse): void {
  const { status, headers, body } = answerTo(site, names, request);
  response.writeHead(status, headers);
  response.end(request.method === "HEAD" ? undefined : body);
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
}

function answerTo(site: Site, names: ReadonlySet<string> | null, { method, url = "/", headers }: IncomingMessage): Answer {
  if (method !== "GET" && method !== "HEAD") return refusal(405, "This server only shows files: GET or HEAD.", { Allow: "GET, HEAD" });
  const asked = (headers.host ?? "").replace(/:\d+$/, "").toLowerCase();
  if (names !== null && !names.has(asked)) return refusal(421, "This server answers under its own address only.");
  const file = site.get(addressIn(url));
  if (file === undefined) return refusal(404, "There is no such file in the studio.");
  if (headers["if-none-match"] !== file.headers["ETag"]) return { status: 200, headers: file.headers, body: file.bytes };
  const { "Content-Length": _, ...rest } = file.headers;
  return { status: 304, headers: rest };
}

function refusal(status: number, text: string, more: Readonly<Record<string, string>> = {}): Answer {
  return {
    status,
    headers: { ...commonHeaders, "Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store", ...more },
    body: `${text}\n`,
  };
}

/** The path of a request's target, decoded once; the empty text, which is no address, for one that cannot be decoded. */
function addressIn(url: string): string {
  try {
    return decodeURIComponent(url.replace(/[?#].*$/s, ""));
  } catch {
    return "";
  }
}
