/** The frame of a page and the grids inside it. */
export const layoutStyle = /* css */ `
.skip { position: absolute; left: var(--s3); top: -4rem; background: var(--accent); color: var(--on-accent); padding: var(--s2) var(--s4); border-radius: var(--radius-s); z-index: 10; }
.skip:focus { top: var(--s3); color: var(--on-accent); }
.wrap { width: 100%; max-width: 76rem; margin: 0 auto; padding: 0 var(--s5); }

.top { border-bottom: 1px solid var(--line); background: var(--surface); }
.top .wrap { display: flex; flex-wrap: wrap; align-items: center; column-gap: var(--s6); min-height: 3.75rem; }
.brand { display: flex; align-items: center; gap: 0.625rem; color: var(--ink); text-decoration: none; font-weight: 650; font-size: var(--t-l); letter-spacing: -0.02em; }
.brand:hover { color: var(--ink); }
.brand svg { color: var(--accent); }
.nav ul { display: flex; gap: var(--s1); }
.nav a { display: flex; align-items: center; min-height: 3.75rem; padding: 2px var(--s3) 0; color: var(--ink-2); text-decoration: none; border-bottom: 2px solid transparent; }
.nav a:hover { color: var(--ink); border-color: var(--line-strong); }
.nav a[aria-current] { color: var(--ink); font-weight: 600; border-color: var(--accent); }
.who { margin-left: auto; display: flex; flex-wrap: wrap; align-items: center; gap: var(--s1) var(--s4); font-size: var(--t-s); color: var(--ink-2); }
.who a { color: inherit; display: inline-block; padding: 0.1875rem 0; }

main { flex: 1; padding: var(--s6) 0 var(--s8); }
main:focus { outline: none; }
.foot { border-top: 1px solid var(--line); color: var(--ink-2); font-size: var(--t-s); }
.foot .wrap { display: flex; flex-wrap: wrap; justify-content: space-between; gap: var(--s2) var(--s5); padding-top: var(--s4); padding-bottom: var(--s5); }

.crumbs { font-size: var(--t-s); color: var(--ink-2); margin-bottom: var(--s3); }
.crumbs ol { display: flex; flex-wrap: wrap; gap: var(--s1) var(--s2); }
.crumbs li { display: flex; gap: var(--s2); min-width: 0; overflow-wrap: anywhere; }
.crumbs li + li::before { content: "/"; color: var(--ink-3); }
.crumbs a { color: inherit; }
.head { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: flex-start; gap: var(--s4) var(--s6); margin-bottom: var(--s6); }
.head > div { min-width: 0; flex: 1 1 24rem; }
.head h1 { overflow-wrap: anywhere; }
.head p { margin-top: var(--s2); color: var(--ink-2); }
.head .lead { max-width: 62ch; font-size: var(--t-l); color: var(--ink); line-height: 1.45; }
.head > .headline { flex: none; padding-top: 0.1875rem; }

.stack > * + * { margin-top: var(--s4); }
.section { margin-top: var(--s7); }
.section > h2 { margin-bottom: var(--s4); }
.section-head { display: flex; flex-wrap: wrap; gap: var(--s2) var(--s4); align-items: baseline; justify-content: space-between; margin-bottom: var(--s4); }
.columns { display: grid; gap: var(--s5); grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); align-items: start; }
.split { display: grid; gap: var(--s6); grid-template-columns: minmax(0, 1.75fr) minmax(17rem, 1fr); align-items: start; }
.split > * { min-width: 0; }
.panel { background: var(--surface); border: 1px solid var(--line); border-radius: var(--radius); padding: var(--s5); box-shadow: var(--shadow); min-width: 0; }
.panel h2 { font-size: var(--t-l); }
.panel h3 { font-size: var(--t-m); }
.panel h2, .panel h3 { margin-bottom: var(--s3); }
.panel + .panel { margin-top: var(--s5); }
.columns > .panel + .panel, .split > .panel + .panel { margin-top: 0; }
.panel.flush { padding: 0; overflow: hidden; }

.sign-in { max-width: 25rem; margin: min(9vh, 5rem) auto 0; }
.sign-in .mark { color: var(--accent); margin-bottom: var(--s4); }
.sign-in h1 { font-size: var(--t-2xl); margin-bottom: var(--s2); }
.sign-in form { display: grid; gap: var(--s4); margin-top: var(--s5); }
.field { display: grid; grid-template-columns: minmax(0, 1fr); gap: var(--s1); min-width: 0; overflow-wrap: anywhere; }
.field input, .field select, .field textarea { width: 100%; }
.stacked { display: grid; gap: var(--s4); justify-items: start; margin-top: var(--s4); max-width: 46rem; }
.stacked .field { width: 100%; }
.stacked fieldset { border: 0; margin: 0; padding: 0; display: grid; gap: var(--s2); }
.stacked legend { font-weight: 600; font-size: var(--t-s); padding: 0; margin-bottom: var(--s2); }
.fields + .facts { margin-top: var(--s5); }
.fields.hinted { align-items: flex-start; margin-top: 0; }
.fields.hinted button { margin-top: 1.5rem; }
.questions + p { margin-top: var(--s4); }
.field.grow { flex: 1 1 18rem; }
.tabs { margin: 0 0 var(--s5); border-bottom: 1px solid var(--line); }
.tabs ul { display: flex; flex-wrap: wrap; gap: 0 var(--s5); }
.tabs a { display: inline-flex; align-items: center; min-height: 2.5rem; font-size: var(--t-s); color: var(--ink-2); text-decoration: none; border-bottom: 2px solid transparent; margin-bottom: -1px; }
.tabs a:hover { color: var(--ink); }
.tabs a[aria-current] { color: var(--ink); font-weight: 600; border-bottom-color: var(--accent); }
.between { display: flex; flex-wrap: wrap; gap: var(--s2) var(--s4); justify-content: space-between; align-items: baseline; margin-bottom: var(--s3); }
.panel .between h2 { margin-bottom: 0; }
.outcomes { display: grid; gap: var(--s3); margin-top: var(--s4); }
.outcomes:empty { display: none; }
.reading { overflow-wrap: anywhere; }
.mono { font-family: var(--mono); }
.accept { margin-top: var(--s5); padding-top: var(--s4); border-top: 1px solid var(--line); display: grid; gap: var(--s3); justify-items: start; }
.check { display: flex; gap: var(--s2); align-items: center; }
.check input { min-height: 0; width: 1.125rem; height: 1.125rem; flex: none; }
.clauses { flex: 1 1 100%; min-width: 0; }
.clauses .check { margin-top: var(--s2); }
.version p + h3 { margin-top: var(--s4); }
.questions { display: grid; gap: var(--s3); padding-left: 1.25rem; list-style: decimal; max-width: 70ch; }
.paper > * + * { margin-top: var(--s3); }
.paper > * + h3 { margin-top: var(--s5); }
.signs { display: flex; flex-wrap: wrap; gap: 1px; margin-bottom: var(--s1); }
.bars { width: 100%; max-width: 44rem; height: auto; overflow: visible; }
.bars rect { fill: var(--accent); }
.bars text { font-size: 10px; fill: var(--ink-2); }
.sign-off { margin-top: var(--s6); display: grid; gap: var(--s6); font-size: var(--t-s); }
.sign-off dt { color: var(--ink-2); }
.sign-off dd { border-top: 1px solid var(--line-strong); padding-top: var(--s1); max-width: 28rem; color: var(--ink-2); font-size: var(--t-xs); }
.fields { margin-top: var(--s4); display: flex; flex-wrap: wrap; gap: var(--s3) var(--s4); align-items: flex-end; }
.sign-in button { justify-content: center; }
.promise { margin-top: var(--s5); font-size: var(--t-s); color: var(--ink-2); text-align: center; }

@media (min-width: 52.01rem) { .paper table, .panel > table.wide { width: calc(100% + 2 * var(--s5)); margin-left: calc(-1 * var(--s5)); margin-right: calc(-1 * var(--s5)); } }
@media (max-width: 62rem) { .split { grid-template-columns: minmax(0, 1fr); } }
@media (max-width: 44rem) {
  .wrap { padding: 0 var(--s4); }
  .top .wrap { padding-top: var(--s3); row-gap: 0; }
  .nav { order: 3; width: 100%; margin: var(--s1) calc(-1 * var(--s3)) 0; }
  .nav ul { flex-wrap: wrap; gap: 0; }
  .nav a { min-height: 2.75rem; padding: 2px 0.625rem 0; }
  .who .email { display: none; }
  main { padding-top: var(--s5); }
  h1 { font-size: 1.5rem; }
  .panel { padding: var(--s4); }
  .section { margin-top: var(--s6); }
  .head { margin-bottom: var(--s5); }
}
`
