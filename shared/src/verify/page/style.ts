/** What the page has of its own, beside the parts of the collector's pages. */
export const pageStyle = /* css */ `
[hidden] { display: none !important; }
.badge.large { white-space: normal; text-align: left; }
.outcome { font-size: var(--t-l); }
.who button { font-size: var(--t-s); }
.who button[aria-pressed="true"] { font-weight: 600; color: var(--ink); text-decoration: none; }
#files { align-items: stretch; }
.field.panel { grid-template-rows: auto 1fr auto; gap: var(--s2); }
.field.panel + .field.panel { margin-top: 0; }
.field input[type="file"] { padding: var(--s2); background: var(--sunk); font-size: var(--t-s); }
progress { width: 100%; max-width: 30rem; height: 0.5rem; margin-top: var(--s3); accent-color: var(--accent); }
.checks { padding: 0 var(--s5); }
.checks > li { padding: var(--s4) 0; border-top: 1px solid var(--line); display: grid; gap: var(--s1); }
.checks > li:first-child { border-top: 0; }
.check-head { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: center; gap: var(--s1) var(--s4); }
.checks h3 { font-size: var(--t-m); margin: 0; }
.checks p { max-width: 90ch; overflow-wrap: anywhere; }
.places-list { display: grid; gap: var(--s1); padding: var(--s2) var(--s3); background: var(--bad-tint); border-radius: var(--radius-s); overflow-wrap: anywhere; }
tr.detail td { padding: 0 var(--s5) var(--s4) !important; border-top: 0; }
table.cards tr.detail { border-top: 0; }
`
