const svgSpace = "http://www.w3.org/2000/svg";

/** Attributes that the page sets on elements of a picture, which a new drawing of them does not know. */
const ours: ReadonlySet<string> = new Set(["tabindex", "data-lit", "data-chosen"]);

/** Elements from SVG text, which comes from the library with every text in it escaped. */
export function elementsIn(text: string): Element[] {
  const holder = document.createElementNS(svgSpace, "g");
  holder.innerHTML = text;
  return [...holder.children];
}

/** Makes an element look like another one, changing what differs only, so that focus and pointer stay where they are. */
export function morph(old: Element, fresh: Element): void {
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name) && !ours.has(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  const before = [...old.childNodes];
  const after = [...fresh.childNodes];
  if (before.length === after.length && before.every((node, i) => node.nodeName === after[i]!.nodeName)) {
    before.forEach((node, i) => {
      const next = after[i]!;
      if (node instanceof Element) morph(node, next as Element);
      else if (node.nodeValue !== next.nodeValue) node.nodeValue = next.nodeValue;
    });
  } else old.replaceChildren(...after);
}
