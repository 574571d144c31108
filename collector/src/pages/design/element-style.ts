/** Elements as they are without a class: type, links, forms, focus. */
export const elementStyle = /* css */ `
*, *::before, *::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-padding-top: var(--s5); }
body {
  margin: 0; min-height: 100vh; display: flex; flex-direction: column;
  background: var(--paper); color: var(--ink);
  font: 400 var(--t-m)/1.55 var(--sans);
  font-variant-numeric: tabular-nums; text-rendering: optimizeLegibility;
  overflow-wrap: break-word;
}
h1, h2, h3, h4, p, ul, ol, dl, dd, figure, blockquote, table { margin: 0; padding: 0; }
h1, h2, h3, h4 { font-weight: 600; line-height: 1.25; letter-spacing: -0.012em; text-wrap: balance; }
h1 { font-size: var(--t-2xl); letter-spacing: -0.02em; }
h2 { font-size: var(--t-xl); }
h3 { font-size: var(--t-l); }
h4 { font-size: var(--t-m); letter-spacing: 0; }
p { max-width: 68ch; text-wrap: pretty; }
ul, ol { list-style: none; }
small { font-size: var(--t-s); }
strong { font-weight: 600; }
a { color: var(--accent); text-decoration: underline; text-decoration-thickness: 1px; text-underline-offset: 0.2em; text-decoration-color: color-mix(in srgb, currentColor 35%, transparent); }
a:hover { color: var(--accent-strong); text-decoration-color: currentColor; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
code, pre, kbd { font-family: var(--mono); font-size: 0.92em; font-variant-ligatures: none; }
pre {
  margin: 0; padding: var(--s4); overflow: auto; max-height: 34rem; white-space: pre-wrap; overflow-wrap: anywhere;
  background: var(--sunk); border: 1px solid var(--line); border-radius: var(--radius-s); font-size: var(--t-s); line-height: 1.55;
}
svg { display: block; flex: none; }
svg .cut { fill: none; stroke: var(--surface); stroke-width: 1.7; stroke-linecap: round; stroke-linejoin: round; }
svg .line { fill: none; stroke: currentColor; stroke-width: 1.6; stroke-linecap: round; stroke-linejoin: round; }
time { white-space: nowrap; }
hr { border: 0; border-top: 1px solid var(--line); margin: var(--s5) 0; }

label { font-weight: 600; font-size: var(--t-s); }
input, select, textarea {
  font: inherit; color: var(--ink); background: var(--surface); min-height: 2.5rem; max-width: 100%;
  border: 1px solid var(--line-strong); border-radius: var(--radius-s); padding: 0.375rem 0.625rem;
}
input:focus-visible, select:focus-visible, textarea:focus-visible { outline-offset: 1px; border-color: var(--accent); border-radius: var(--radius-s); }
button, .button {
  font: inherit; font-weight: 600; cursor: pointer; min-height: 2.5rem; padding: 0.375rem 1rem; display: inline-flex; align-items: center; gap: var(--s2);
  border-radius: var(--radius-s); border: 1px solid var(--accent); background: var(--accent); color: var(--on-accent); text-decoration: none;
}
button:hover, .button:hover { background: var(--accent-strong); border-color: var(--accent-strong); color: var(--on-accent); }
button.quiet, .button.quiet { background: transparent; color: var(--accent); border-color: var(--line-strong); }
button.quiet:hover, .button.quiet:hover { background: var(--accent-tint); color: var(--accent-strong); border-color: var(--accent); }
button.plain { background: none; border: 0; padding: 0; min-height: 1.5rem; color: inherit; font-weight: 400; text-decoration: underline; text-underline-offset: 0.2em; text-decoration-color: color-mix(in srgb, currentColor 35%, transparent); }
button.plain:hover { color: var(--accent-strong); text-decoration-color: currentColor; }

summary { cursor: pointer; font-weight: 600; color: var(--accent); padding: var(--s1) 0; width: fit-content; }
summary:hover { color: var(--accent-strong); }
details[open] > summary { margin-bottom: var(--s3); }

.visually-hidden { position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.muted { color: var(--ink-2); }
.small { font-size: var(--t-s); }
p.small { max-width: 90ch; }
.num { text-align: right; }
.nowrap { white-space: nowrap; }
@media (prefers-reduced-motion: no-preference) { a, button, .button { transition: color 120ms, background-color 120ms, border-color 120ms; } }
`
