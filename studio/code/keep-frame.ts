import { frameUrl } from "virtual:code-sandbox";

/**
 * Loads the frame of programs once, unseen, so that the browser has it in its own store when there is no network: a frame of opaque origin is none of
 * the service worker's, and what the page itself fetches is stored apart from what frames load.
 */
export function keepFrame(): void {
  const frame = document.createElement("iframe");
  frame.setAttribute("sandbox", "allow-scripts");
  frame.hidden = true;
  frame.title = "program";
  frame.onload = () => frame.remove();
  frame.src = frameUrl;
  document.body.append(frame);
}
