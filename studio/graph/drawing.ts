const svgSpace = "http://www.w3.org/2000/svg";

/**
 * An element of a picture as the library's text has it. A step draws a few elements anew, and what differs is found in the texts: the browser neither
 * parses them nor is asked what stands in the page, and only what another text asks for is touched.
 */
export interface Drawing {
  readonly name: string;
  /** As they are written, with a blank before each. */
  readonly attributes: string;
  readonly children: readonly (Drawing | string)[];
}

const entities: Readonly<Record<string, string>> = { "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'" };

function plain(text: string): string {
  return text.includes("&") ? text.replace(/&(?:amp|lt|gt|quot|#39);/g, (entity) => entities[entity]!) : text;
}

/** Reads SVG as the library writes it: every text in it is escaped, every attribute in double quotes, every element closed. */
export function drawingsIn(text: string): Drawing[] {
  const found: Drawing[] = [];
  const around: (Drawing | string)[][] = [];
  let list: (Drawing | string)[] = found;
  for (const [, close, name, attributes, empty, between] of text.matchAll(/<(\/)?([\w-]+)((?: [\w:-]+="[^"]*")*)(\/)?>|([^<]+)/g))
    if (between !== undefined) list.push(plain(between));
    else if (close !== undefined) list = around.pop()!;
    else {
      const children: (Drawing | string)[] = [];
      list.push({ name: name!, attributes: attributes!, children });
      if (empty !== undefined) continue;
      around.push(list);
      list = children;
    }
  return found;
}

function attributesOf({ attributes }: Drawing): [string, string][] {
  return Array.from(attributes.matchAll(/ ([\w:-]+)="([^"]*)"/g), ([, name, value]) => [name!, plain(value!)]);
}

/** An element as it is drawn. */
export function elementOf(drawing: Drawing): SVGElement {
  const element = document.createElementNS(svgSpace, drawing.name);
  for (const [name, value] of attributesOf(drawing)) element.setAttribute(name, value);
  for (const child of drawing.children) element.append(typeof child === "string" ? child : elementOf(child));
  return element;
}

/** What a child is, by which its drawing from before is found: a line, an arrow, a value; a gradient also where there is none yet. */
function kindOf(child: Drawing | string): string {
  if (typeof child === "string") return "";
  const kind = / class="([\w-]*)/.exec(child.attributes)?.[1] ?? "";
  return `${child.name} ${kind === "cr-quiet" ? "cr-gradient" : kind}`;
}

/**
 * Makes an element that was drawn one way look another way, changing what differs only, so that focus and pointer stay where they are, and attributes
 * that the page has set beside those of the drawing too.
 */
export function redraw(element: Element, before: Drawing, now: Drawing): void {
  if (before.attributes !== now.attributes) {
    const old = new Map(attributesOf(before));
    for (const [name, value] of attributesOf(now)) {
      if (old.get(name) !== value) element.setAttribute(name, value);
      old.delete(name);
    }
    for (const name of old.keys()) element.removeAttribute(name);
  }
  let node = element.firstChild;
  let at = 0;
  const removeTo = (end: number): void => {
    for (; at < end; at++) {
      const gone = node!;
      node = gone.nextSibling;
      gone.remove();
    }
  };
  for (const child of now.children) {
    const kind = kindOf(child);
    let same = at;
    while (same < before.children.length && kindOf(before.children[same]!) !== kind) same++;
    if (same === before.children.length) {
      element.insertBefore(typeof child === "string" ? document.createTextNode(child) : elementOf(child), node);
      continue;
    }
    // What lies between is not in the new drawing, or later in it, where it is made anew.
    removeTo(same);
    const old = before.children[at]!;
    if (typeof child === "string") {
      if (old !== child) node!.nodeValue = child;
    } else redraw(node as Element, old as Drawing, child);
    node = node!.nextSibling;
    at++;
  }
  removeTo(before.children.length);
}
