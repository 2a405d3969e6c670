import { adadelta } from "../optim/adadelta.ts";
import { adagrad } from "../optim/adagrad.ts";
import { adam, adamW } from "../optim/adam.ts";
import { adamax } from "../optim/adamax.ts";
import { lamb } from "../optim/lamb.ts";
import { lion } from "../optim/lion.ts";
import { nadam } from "../optim/nadam.ts";
import type { Optimizer } from "../optim/optimizer.ts";
import type { Rate } from "../optim/rate.ts";
import { rmsProp } from "../optim/rms-prop.ts";
import { cosine } from "../optim/schedules.ts";
import { sgd } from "../optim/sgd.ts";
import type { TrainSettings } from "./train-settings.ts";

/** Which parameters an optimiser trains, all when left out. */
type Only = { readonly only?: readonly string[] };

const optimizers: Readonly<Record<TrainSettings["optimizer"], (rate: Rate, only: Only) => Optimizer>> = {
  adam: (rate, only) => adam({ rate, ...only }),
  adamw: (rate, only) => adamW({ rate, ...only }),
  sgd: (rate, only) => sgd({ rate, ...only }),
  nesterov: (rate, only) => sgd({ rate, momentum: 0.9, nesterov: true, ...only }),
  rmsprop: (rate, only) => rmsProp({ rate, ...only }),
  adagrad: (rate, only) => adagrad({ rate, ...only }),
  adadelta: (rate, only) => adadelta({ rate, ...only }),
  adamax: (rate, only) => adamax({ rate, ...only }),
  nadam: (rate, only) => nadam({ rate, ...only }),
  lion: (rate, only) => lion({ rate, ...only }),
  lamb: (rate, only) => lamb({ rate, ...only }),
};

/** The optimiser that was chosen, over this many updates. */
export function optimizerOf(
  { optimizer, rate, schedule }: Pick<TrainSettings, "optimizer" | "rate" | "schedule">,
  steps: number,
  only: Only = {},
): Optimizer {
  return optimizers[optimizer](schedule === "cosine" ? cosine({ from: rate, steps }) : rate, only);
}
