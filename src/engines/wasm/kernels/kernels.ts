import type { KernelRow } from "../kernel.ts";
import { convertKernels } from "./convert.ts";
import { gatherKernels } from "./gather.ts";
import { lineKernels } from "./lines.ts";
import { poolKernels } from "./pool.ts";
import { randomKernels } from "./random.ts";

function table(): Readonly<Record<string, KernelRow>> {
  return { ...convertKernels(), ...gatherKernels(), ...poolKernels(), ...lineKernels(), ...randomKernels() };
}

/** Ops with a kernel of their own. What is neither here nor a loop, a view or a product runs as its own reference kernel on the host. */
export const kernels: Readonly<Record<string, KernelRow>> = /* @__PURE__ */ table();
