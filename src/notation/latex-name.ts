/** Greek letters as LaTeX commands. Those that look like Latin letters have none and are written upright. */
const greek: Readonly<Record<string, string>> = {
  α: "alpha",
  β: "beta",
  γ: "gamma",
  δ: "delta",
  ε: "varepsilon",
  ϵ: "epsilon",
  ζ: "zeta",
  η: "eta",
  θ: "theta",
  ϑ: "vartheta",
  ι: "iota",
  κ: "kappa",
  λ: "lambda",
  μ: "mu",
  ν: "nu",
  ξ: "xi",
  π: "pi",
  ρ: "rho",
  σ: "sigma",
  ς: "varsigma",
  τ: "tau",
  υ: "upsilon",
  φ: "varphi",
  ϕ: "phi",
  χ: "chi",
  ψ: "psi",
  ω: "omega",
  Γ: "Gamma",
  Δ: "Delta",
  Θ: "Theta",
  Λ: "Lambda",
  Ξ: "Xi",
  Π: "Pi",
  Σ: "Sigma",
  Υ: "Upsilon",
  Φ: "Phi",
  Ψ: "Psi",
  Ω: "Omega",
  "∂": "partial",
  "∇": "nabla",
  "∆": "Delta",
};

const spelled: ReadonlySet<string> = /* @__PURE__ */ new Set([
  "alpha",
  "beta",
  "gamma",
  "delta",
  "epsilon",
  "zeta",
  "eta",
  "theta",
  "iota",
  "kappa",
  "lambda",
  "mu",
  "nu",
  "xi",
  "pi",
  "rho",
  "sigma",
  "tau",
  "upsilon",
  "phi",
  "chi",
  "psi",
  "omega",
  "Gamma",
  "Delta",
  "Theta",
  "Lambda",
  "Xi",
  "Pi",
  "Sigma",
  "Upsilon",
  "Phi",
  "Psi",
  "Omega",
]);

const lowered = "₀₁₂₃₄₅₆₇₈₉";

/**
 * A name in LaTeX: Greek letters and their English names as commands, subscripts from `w₀`, `w_1` and `w1`, primes, several letters upright
 * (`\mathrm{loss}`), other scripts as text (`\text{가중치}`).
 */
export function latexName(name: string): string {
  if (name === "inf") return "\\infty";
  if (name === "nan") return "\\mathrm{NaN}";
  if (name.includes(".")) return `\\mathtt{${escaped(name)}}`;
  const primes = /['′″]+$/.exec(name)?.[0] ?? "";
  const bare = name.slice(0, name.length - primes.length);
  const [, stem = bare, index = ""] = /^([^_]*?[^_₀-₉0-9])_?([₀-₉]+|[0-9]+)$/u.exec(bare) ?? /^([^_]+)_([^_]+)$/u.exec(bare) ?? [];
  const marks = primes.replace(/[′']/g, "'").replace(/″/g, "''");
  return base(stem) + (index === "" ? "" : `_{${subscript(index)}}`) + marks;
}

function subscript(index: string): string {
  const digits = [...index].map((c) => (lowered.includes(c) ? String(lowered.indexOf(c)) : c)).join("");
  return /^[0-9]+$/.test(digits) ? digits : base(digits);
}

function base(stem: string): string {
  if (/^[A-Za-z]$/.test(stem)) return stem;
  if (Object.hasOwn(greek, stem)) return `\\${greek[stem]}`;
  if (spelled.has(stem)) return `\\${stem}`;
  const [first = "", ...rest] = stem;
  if ("∂∇∆".includes(first) && rest.length > 0) return `\\${greek[first]} ${base(rest.join(""))}`;
  if (/^[\w]+$/.test(stem)) return `\\mathrm{${escaped(stem)}}`;
  return `\\text{${escaped(stem)}}`;
}

/** Text with LaTeX's own characters escaped. */
export function escaped(text: string): string {
  return text.replace(/[\\{}$&#^_%~]/g, (c) => (c === "\\" ? "\\textbackslash{}" : c === "^" || c === "~" ? `\\${c}{}` : `\\${c}`));
}
