import { describe, expect, it } from "vitest";
import { checkScene, type Scene, type SceneWire } from "../../src/draw/scene.ts";
import { GraphError } from "../../src/ir/errors.ts";
import { fanOut, sigmoidNeuron } from "./scenes.ts";

const scene = fanOut();
const wire = scene.wires[0]!;
const withWire = (change: Partial<SceneWire>): Scene => ({ ...scene, wires: [{ ...wire, ...change }, ...scene.wires.slice(1)] });

describe("checkScene", () => {
  it("accepts scenes that can be drawn", () => {
    for (const good of [scene, sigmoidNeuron(true)]) expect(() => checkScene(good)).not.toThrow();
  });

  it.each<[string, Scene, string]>([
    [
      "two items of one id",
      { ...scene, items: [...scene.items, scene.items[0]!] },
      'draw: two items have the id "g0"; give each item its own',
    ],
    [
      "a wire from nowhere",
      withWire({ from: "no" }),
      'draw: the wire from "no" to "g2" ends at "no", which is no item of the scene; add the item or drop the wire',
    ],
    ["a wire to nowhere", withWire({ to: "no" }), 'ends at "no", which is no item of the scene'],
    ["a port that is no whole number", withWire({ input: 0.5 }), "uses port 0.5; ports are whole numbers from 0 to 9999"],
    ["a wire from an output", withWire({ from: "out", to: "g0" }), "starts at an output item; start it at the item that feeds that output"],
    [
      "two wires into one operand",
      { ...scene, wires: [...scene.wires, wire] },
      'draw: two wires end at operand 0 of "g2"; an operand takes one value, give each wire its own input',
    ],
    [
      "a trunk without wires",
      { ...scene, trunks: [{ ...scene.trunks![0]!, output: 3 }] },
      'draw: the trunk at output 3 of "g0" has no wires; drop it or add its branches',
    ],
    [
      "a group with the id of an item",
      { ...scene, groups: [{ id: "g0", label: "", title: "" }] },
      'draw: two items or groups have the id "g0"; give each its own',
    ],
    [
      "a group in a later one",
      { ...scene, groups: [{ id: "in", label: "", title: "", group: "out of" }] },
      'draw: the group "in" lies in "out of", which is no group before it; list outer groups first',
    ],
    [
      "an item in no group",
      { ...scene, items: scene.items.map((item) => ({ ...item, group: "none" })) },
      'draw: the item "g0" lies in "none", which is no group of the scene; add the group',
    ],
    [
      "an unknown active item",
      { ...scene, active: "no" },
      'draw: the active item "no" is no item of the scene; name one of its items or leave active out',
    ],
  ])("refuses %s", (_, bad, message) => {
    expect(() => checkScene(bad)).toThrow(GraphError);
    expect(() => checkScene(bad)).toThrow(message);
  });
});
