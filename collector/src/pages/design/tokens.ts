/**
 * The design's constants: colour, type, space. Every colour is one `light-dark()` pair, so that both schemes are
 * told in one place; every pair of text and ground meets WCAG 2.2 AA (test/browser measures it).
 * A state has four colours: `text` on paper, `tint` as a quiet ground, `solid` as a loud one, `on` for the glyph on solid.
 */
export const tokens = /* css */ `
:root {
  color-scheme: light dark;

  --paper: light-dark(#faf9f6, #131619);
  --surface: light-dark(#ffffff, #1a1e22);
  --sunk: light-dark(#f3f1ec, #0f1214);
  --line: light-dark(#e4e0d8, #2b3137);
  --line-strong: light-dark(#8b8a85, #717981);
  --ink: light-dark(#1b2127, #e9e7e2);
  --ink-2: light-dark(#535a61, #adb2b7);
  --ink-3: light-dark(#686d72, #949a9f);

  --accent: light-dark(#27458f, #a9bcff);
  --accent-strong: light-dark(#1c3474, #c5d2ff);
  --accent-tint: light-dark(#e9edf8, #20283f);
  --on-accent: light-dark(#ffffff, #10182e);

  --good-text: light-dark(#1c6442, #7fd0a5);
  --good-tint: light-dark(#e3f0e8, #1b3327);
  --good-solid: light-dark(#2f8a5f, #4aa67a);
  --risk-text: light-dark(#815000, #f0bd62);
  --risk-tint: light-dark(#fbeed3, #302511);
  --risk-solid: light-dark(#eaa52a, #e3a335);
  --risk-on: light-dark(#3d2600, #241700);
  --bad-text: light-dark(#a51c2d, #ff9c9c);
  --bad-tint: light-dark(#fbe6e5, #381a1c);
  --bad-solid: light-dark(#bd2437, #d6485a);
  --bad-on: #ffffff;
  --dark-text: light-dark(#56448c, #c2b2f2);
  --dark-tint: light-dark(#ece8f7, #262038);
  --dark-solid: light-dark(#7361aa, #8d7bc6);
  --dark-on: #ffffff;

  --sans: "Segoe UI Variable Text", "Segoe UI", -apple-system, BlinkMacSystemFont, "Inter", "Roboto",
    "Noto Sans", "Liberation Sans", "Helvetica Neue", Arial, sans-serif;
  --mono: "SF Mono", "Cascadia Mono", "Segoe UI Mono", "Roboto Mono", "Liberation Mono", Menlo, Consolas, monospace;

  --t-xs: 0.75rem;
  --t-s: 0.8125rem;
  --t-m: 0.9375rem;
  --t-l: 1.125rem;
  --t-xl: 1.375rem;
  --t-2xl: 1.875rem;

  --s1: 0.25rem;
  --s2: 0.5rem;
  --s3: 0.75rem;
  --s4: 1rem;
  --s5: 1.5rem;
  --s6: 2rem;
  --s7: 3rem;
  --s8: 4.5rem;

  --radius: 10px;
  --radius-s: 6px;
  --shadow: 0 1px 2px light-dark(rgb(27 33 39 / 6%), rgb(0 0 0 / 40%));
}
`
