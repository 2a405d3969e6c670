import type { JSX } from "preact";

/** The whole of this tab below the page's header. */
export function TrainTab(): JSX.Element {
  return <main class="tab" id="panel-train" />;
}
