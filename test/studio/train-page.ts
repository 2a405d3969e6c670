import { packState } from "../../studio/state/address.ts";
import { defaultState } from "../../studio/state/slices.ts";
import { defaultTrain, type TrainState } from "../../studio/train/state.ts";
import type { Page } from "../browser/launch.ts";
import type { Studio } from "./open-studio.ts";

/** What these tests ask of playwright beside what the others do. */
export interface MorePage extends Page {
  addInitScript(script: string): Promise<void>;
  workers(): { evaluate(code: string): Promise<unknown> }[];
  context(): Page["context"] extends () => infer C
    ? C & {
        newCDPSession(
          page: Page,
        ): Promise<{ send(method: string, given?: Readonly<Record<string, unknown>>): Promise<Record<string, unknown>> }>;
      }
    : never;
}

export type Visit = { readonly page: MorePage; readonly faults: string[] };

/** The Train tab with these settings, as an address brings them, when its net is ready. */
export async function visitTrain(
  studio: Studio,
  part: Partial<TrainState> = {},
  options: Parameters<Studio["visit"]>[0] & { readonly lang?: "en" | "ko" } = {},
): Promise<Visit> {
  const { lang = "en", ...rest } = options;
  const hash = await packState({ ...defaultState, tab: "train", train: { ...defaultTrain, ...part } });
  const { page, faults } = await studio.visit({ ...rest, at: `?lang=${lang}#${hash}` });
  await page.waitForSelector("#play", { timeout: 30_000 });
  return { page: page as MorePage, faults };
}

export const ready = (page: Page): Promise<unknown> => page.waitForSelector("#play:not([disabled])", { timeout: 30_000 });

/** Waits until it plays no more, and gives what stands in a place of the page. */
export async function paused(page: Page): Promise<void> {
  await page.waitForFunction(() => document.querySelector("#play")!.getAttribute("aria-pressed") === "false");
}

export async function numberIn(page: Page, selector: string): Promise<number> {
  return Number((await page.textContent(selector))!.replaceAll(",", "").replace("−", "-").replace(" %", ""));
}
