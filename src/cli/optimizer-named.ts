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

const optimizers: Readonly<Record<TrainSettings["optimizer"], (rate: Rate) => Optimizer>> = {
  adam: (rate) => adam({ rate }),
  adamw: (rate) => adamW({ rate }),
  sgd: (rate) => sgd({ rate }),
  nesterov: (rate) => sgd({ rate, momentum: 0.9, nesterov: true }),
  rmsprop: (rate) => rmsProp({ rate }),
  adagrad: (rate) => adagrad({ rate }),
  adadelta: (rate) => adadelta({ rate }),
  adamax: (rate) => adamax({ rate }),
  nadam: (rate) => nadam({ rate }),
  lion: (rate) => lion({ rate }),
  lamb: (rate) => lamb({ rate }),
};

/** The optimiser that was chosen, over this many updates. */
export function optimizerOf({ optimizer, rate, schedule }: TrainSettings, steps: number): Optimizer {
  return optimizers[optimizer](schedule === "cosine" ? cosine({ from: rate, steps }) : rate);
}
