const svgSpace = "http://www.w3.org/2000/svg";

/** Attributes that the page sets on elements of a picture, which a new drawing of them does not know. */
const ours: ReadonlySet<string> = new Set(["tabindex", "data-lit", "data-chosen"]);

/** Elements from SVG text, which comes from the library with every text in it escaped. */
export function elementsIn(text: string): Element[] {
  const holder = document.createElementNS(svgSpace, "g");
  holder.innerHTML = text;
  return [...holder.children];
}

/** What a child is, by which its drawing from before is found: a line, an arrow, a value. */
function kindOf(node: Node): string {
  return node instanceof Element ? `${node.nodeName} ${node.getAttribute("class")?.split(" ", 1)[0] ?? ""}` : node.nodeName;
}

/** Makes an element look like another one, changing what differs only, so that focus and pointer stay where they are. */
export function morph(old: Element, fresh: Element): void {
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name) && !ours.has(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  let node = old.firstChild;
  let next = fresh.firstChild;
  while (next !== null) {
    const following = next.nextSibling;
    const kind = kindOf(next);
    let same = node;
    while (same !== null && kindOf(same) !== kind) same = same.nextSibling;
    if (same === null) old.insertBefore(next, node);
    else {
      // What lies between is not in the new drawing, or later in it, where it is made anew.
      while (node !== same) {
        const gone: ChildNode = node!;
        node = gone.nextSibling;
        gone.remove();
      }
      if (same instanceof Element) morph(same, next as Element);
      else if (same.nodeValue !== next.nodeValue) same.nodeValue = next.nodeValue;
      node = same.nextSibling;
    }
    next = following;
  }
  while (node !== null) {
    const gone = node;
    node = gone.nextSibling;
    gone.remove();
  }
}
