import type { Scene } from "../../src/draw/scene.ts";
import { picture } from "../../src/explain/picture/picture.ts";
import { gallery } from "../gallery/programs.ts";
import { corpus } from "./corpus.ts";

/** The graphs whose crossings are compared with ELK's: STUDIO's sizes, fifty random ones, and the gallery, all drawn flat. */
export function crossingScenes(): Map<string, Scene> {
  const scenes = new Map(Object.entries(corpus).map(([name, make]) => [name, make()]));
  for (const { name, make } of gallery) scenes.set(`gallery ${name}`, flat(picture(make(), { depth: "all" }).scene()));
  return scenes;
}

function flat({ groups: _, items, ...scene }: Scene): Scene {
  return { ...scene, items: items.map(({ group: __, ...item }) => item) };
}
