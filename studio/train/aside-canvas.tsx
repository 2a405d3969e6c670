import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { giveCanvas } from "./client.ts";

interface AsideCanvasProps {
  /** What the worker draws on it. */
  readonly name: string;
  readonly class?: string;
}

/** A canvas that the worker draws on. Another worker needs another canvas: give it another key. */
export function AsideCanvas({ name, class: css }: AsideCanvasProps): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    giveCanvas(name, canvas.current!.transferControlToOffscreen());
    return () => giveCanvas(name, null);
  }, []);
  return <canvas ref={canvas} class={css} aria-hidden="true" />;
}
