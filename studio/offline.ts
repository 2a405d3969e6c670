// The service worker: after the first visit the studio opens without a network. The build replaces the list by the names of its files, so that the
// text of this file changes whenever any of them does, which is how a browser learns of a new version.

interface Extendable extends Event {
  waitUntil(work: Promise<unknown>): void;
}

interface Asked extends Extendable {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}

/** The part of a service worker's global scope that is used here; the page's own types know none of it. */
interface OfflineScope {
  readonly clients: { claim(): Promise<void> };
  addEventListener(type: "install" | "activate", take: (event: Extendable) => void): void;
  addEventListener(type: "fetch", take: (event: Asked) => void): void;
}

declare const chainruleFiles: { readonly version: string; readonly names: readonly string[]; readonly frame: string };

const scope = globalThis as unknown as OfflineScope;
const cacheName = `chainrule-studio-${chainruleFiles.version}`;

scope.addEventListener("install", (event) => {
  event.waitUntil(
    caches.open(cacheName).then((cache) => cache.addAll(chainruleFiles.names.map((name) => new Request(name, { cache: "no-cache" })))),
  );
});

scope.addEventListener("activate", (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) =>
        Promise.all(names.filter((name) => name.startsWith("chainrule-studio-") && name !== cacheName).map((name) => caches.delete(name))),
      )
      // The page of the first visit too needs no network from here on.
      .then(() => scope.clients.claim()),
  );
});

scope.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || new URL(request.url).origin !== location.origin) return;
  if (request.mode !== "navigate") event.respondWith(fileFor(request));
  else if (request.url === new URL(chainruleFiles.frame, location.href).href) event.respondWith(frameFor(request));
  else event.respondWith(pageFor(request));
});

/** The newest page there is: the network's, else the one that was kept. */
async function pageFor(request: Request): Promise<Response> {
  try {
    return await fetch(request);
  } catch (error) {
    const kept = await caches.match("./");
    if (kept === undefined) throw error;
    return kept;
  }
}

/**
 * The frame of programs. A frame that the page's `sandbox` attribute gives an opaque origin is asked of the network, past this worker; one that gets its
 * opaque origin from the answer's own policy is asked here first.
 */
async function frameFor(request: Request): Promise<Response> {
  const answer = await fileFor(request);
  const headers = new Headers(answer.headers);
  headers.set("Content-Security-Policy", "sandbox allow-scripts");
  return new Response(answer.body, { status: answer.status, headers });
}

/** Names of files carry a hash of what is in them, so what was kept is never old. */
async function fileFor(request: Request): Promise<Response> {
  return (await caches.match(request)) ?? fetch(request);
}
