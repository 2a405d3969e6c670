import { describe, expect, it } from "vitest";
import { decimal, escapeXml } from "../../src/draw/xml.ts";

describe("escapeXml", () => {
  it("escapes what has a meaning in text or in either kind of quotes", () => {
    expect(escapeXml(`<a href="x" title='y'>&amp;</a>`)).toBe("&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;amp;&lt;/a&gt;");
  });

  it("replaces what XML cannot hold and keeps everything else", () => {
    expect(escapeXml("a\u0000b\ud800c\udc00d\ufffe")).toBe("a\ufffdb\ufffdc\ufffdd\ufffd");
    expect(escapeXml("tab\tline\n손실 😀 −∇₀")).toBe("tab\tline\n손실 😀 −∇₀");
  });
});

describe("decimal", () => {
  it("keeps two decimals and no more", () => {
    expect(decimal(1 / 3)).toBe("0.33");
    expect(decimal(44)).toBe("44");
    expect(decimal(0.001)).toBe("0");
  });
});
