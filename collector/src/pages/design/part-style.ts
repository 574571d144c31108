/** Badges, tables, key-value lists, hashes, notices, and what a page says when it has nothing to show. */
export const partStyle = /* css */ `
.badge { display: inline-flex; vertical-align: middle; align-items: center; gap: 0.375rem; padding: 0.125rem 0.5625rem 0.125rem 0.4375rem; border-radius: 99px; font-size: var(--t-s); font-weight: 600; line-height: 1.4; white-space: nowrap; background: var(--sunk); color: var(--ink-2); }
.badge svg { width: 0.9375rem; height: 0.9375rem; }
.badge.large { font-size: var(--t-l); padding: 0.375rem 1rem 0.375rem 0.75rem; gap: var(--s2); }
.badge.large svg { width: 1.375rem; height: 1.375rem; }
.word { display: inline-flex; vertical-align: middle; align-items: center; gap: 0.375rem; font-size: var(--t-s); white-space: nowrap; color: var(--ink-2); }
.word svg { width: 1rem; height: 1rem; }
.good { color: var(--good-text); } .badge.good { background: var(--good-tint); }
.risk { color: var(--risk-text); } .badge.risk { background: var(--risk-tint); }
.bad { color: var(--bad-text); } .badge.bad { background: var(--bad-tint); }
.dark { color: var(--dark-text); } .badge.dark { background: var(--dark-tint); }
.word.risk, .word.bad, .word.dark { font-weight: 600; }
.word.good { color: var(--ink-2); } .word.good svg { color: var(--good-text); }

.tiles { display: flex; flex-wrap: wrap; gap: 1px; background: var(--line); border: 1px solid var(--line); border-radius: var(--radius); overflow: hidden; box-shadow: var(--shadow); }
.tile { flex: 1 1 9.5rem; background: var(--surface); padding: var(--s4) var(--s5); display: grid; gap: var(--s1); align-content: start; }
.tile dt { display: flex; align-items: center; gap: 0.4375rem; font-size: var(--t-s); color: var(--ink-2); }
.tile dt svg { width: 1rem; height: 1rem; }
.tile dd { font-size: var(--t-2xl); font-weight: 600; line-height: 1.15; letter-spacing: -0.02em; color: var(--ink); }
.tile dd small { font-weight: 400; color: var(--ink-2); letter-spacing: 0; display: block; margin-top: var(--s1); line-height: 1.4; }
.tile.zero dd { color: var(--ink-3); font-weight: 400; }

.scroll { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-size: var(--t-s); line-height: 1.45; }
th { text-align: left; font-weight: 600; color: var(--ink-2); white-space: nowrap; }
th, td { padding: 0.625rem var(--s3); vertical-align: middle; border-top: 1px solid var(--line); }
thead th { border-top: 0; font-size: var(--t-xs); letter-spacing: 0.01em; background: var(--sunk); padding-top: 0.5rem; padding-bottom: 0.5rem; }
th:first-child, td:first-child { padding-left: var(--s5); }
th:last-child, td:last-child { padding-right: var(--s5); }
tbody th { white-space: normal; color: var(--ink); font-weight: 600; }
tbody tr:hover { background: color-mix(in srgb, var(--accent-tint) 45%, transparent); }
td.num, th.num { text-align: right; }
td .under, th .under { display: block; color: var(--ink-2); font-weight: 400; font-size: var(--t-xs); }
th a, td a.strong { font-weight: 600; text-decoration-color: transparent; }
.path { font-weight: 400; font-family: var(--mono); font-size: 0.92em; overflow-wrap: anywhere; }

.facts { display: grid; gap: 0; font-size: var(--t-s); }
.facts > div { display: grid; grid-template-columns: minmax(6.5rem, 30%) minmax(0, 1fr); gap: var(--s1) var(--s4); padding: 0.5rem 0; border-top: 1px solid var(--line); align-items: baseline; }
.facts > div:first-child { border-top: 0; padding-top: 0; }
.facts > div:last-child { padding-bottom: 0; }
.proof .facts > div { grid-template-columns: minmax(6rem, 7.5rem) minmax(0, 1fr); }
.facts dt { color: var(--ink-2); }
.facts dd { min-width: 0; overflow-wrap: anywhere; }
.facts .note { display: block; color: var(--ink-2); font-size: var(--t-xs); }

.hash { display: inline-block; vertical-align: bottom; max-width: 15ch; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; font-family: var(--mono); font-size: 0.92em; user-select: all; cursor: copy; border-radius: 3px; }
.hash:hover { background: var(--accent-tint); }
.hash:focus-visible, .hash.whole { max-width: none; white-space: normal; overflow-wrap: anywhere; display: inline; }
a .hash { cursor: pointer; user-select: auto; }

.notice { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: var(--s1) var(--s3); padding: var(--s3) var(--s4); border-radius: var(--radius-s); background: var(--sunk); border: 1px solid var(--line); font-size: var(--t-s); color: var(--ink); }
.notice > svg { width: 1.25rem; height: 1.25rem; margin-top: 0.0625rem; }
.notice p { max-width: 90ch; }
.notice p + p { margin-top: var(--s1); }
.notice.good { background: var(--good-tint); border-color: transparent; } .notice.good > svg { color: var(--good-text); }
.notice.risk { background: var(--risk-tint); border-color: transparent; } .notice.risk > svg { color: var(--risk-text); }
.notice.bad { background: var(--bad-tint); border-color: transparent; } .notice.bad > svg { color: var(--bad-text); }
.notice.dark { background: var(--dark-tint); border-color: transparent; } .notice.dark > svg { color: var(--dark-text); }

.empty { text-align: center; padding: var(--s7) var(--s5); color: var(--ink-2); }
.empty svg { width: 2.5rem; height: 2.5rem; margin: 0 auto var(--s4); color: var(--line-strong); }
.empty h1, .empty h2, .empty h3 { color: var(--ink); }
.empty h2, .empty h3 { font-size: var(--t-l); }
.empty .button { margin-top: var(--s4); }
.empty p { margin: var(--s2) auto 0; max-width: 52ch; }
.empty pre { display: inline-block; text-align: left; margin-top: var(--s4); max-width: 100%; }

.dimensions { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 1px; background: var(--line); border: 1px solid var(--line); border-radius: var(--radius); overflow: hidden; box-shadow: var(--shadow); }
.dimension { background: var(--surface); padding: var(--s4) var(--s5); display: grid; gap: var(--s1); align-content: start; }
.dimension .word { font-size: var(--t-m); }
.dimension h3 { font-size: var(--t-m); display: flex; flex-wrap: wrap; gap: var(--s1) var(--s3); justify-content: space-between; align-items: center; }
.dimension p { font-size: var(--t-s); color: var(--ink-2); }

blockquote { font-size: var(--t-l); line-height: 1.5; padding-left: var(--s4); border-left: 3px solid var(--accent); color: var(--ink); max-width: 62ch; text-wrap: pretty; }
blockquote footer { font-size: var(--t-s); color: var(--ink-2); margin-top: var(--s1); }

.list > li { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 0 var(--s4); align-items: baseline; padding: 0.5625rem 0; border-top: 1px solid var(--line); font-size: var(--t-s); }
.list > li:first-child { border-top: 0; padding-top: 0; }
.list > li:last-child { padding-bottom: 0; }
.list > li > :last-child { text-align: right; }
.list .under { color: var(--ink-2); display: block; font-size: var(--t-xs); }
.pager { display: flex; justify-content: space-between; gap: var(--s4); margin-top: var(--s4); font-size: var(--t-s); }
.pager a, .chips a { display: inline-flex; min-height: 1.75rem; align-items: center; }
.chips { display: flex; flex-wrap: wrap; gap: var(--s1) var(--s4); font-size: var(--t-s); }
.chips a[aria-current] { color: var(--ink); font-weight: 600; text-decoration: none; }

.bar { display: flex; height: 0.625rem; gap: 2px; border-radius: 99px; overflow: hidden; margin-bottom: var(--s4); }
.bar svg { width: 100%; height: 100%; }
.bar .good { fill: var(--good-solid); } .bar .risk { fill: var(--risk-solid); } .bar .bad { fill: var(--bad-solid); } .bar .dark { fill: var(--dark-solid); } .bar .none { fill: var(--line); }


.matrix { overflow-x: auto; }
.matrix td, .matrix th:not(:first-child) { padding-left: var(--s2); padding-right: var(--s2); }
.matrix td:last-child, .matrix th:last-child { padding-right: var(--s5); }
.matrix thead th { white-space: normal; vertical-align: bottom; line-height: 1.3; }
.matrix tbody th { min-width: 9.5rem; }
.matrix .under { white-space: nowrap; }
.matrix .word { white-space: normal; }
.panel .inset { padding: var(--s4) var(--s5); margin: 0; }
@media (max-width: 44rem) { .panel .inset { padding: var(--s4); } }
.places { margin-top: var(--s1); display: flex; flex-wrap: wrap; gap: 0 var(--s5); }
.places a, .chips a { display: inline-block; padding: 0.1875rem 0; }
.tile .text { font-size: var(--t-l); font-weight: 600; letter-spacing: -0.01em; line-height: 1.5; }
.reading { display: grid; gap: var(--s1); margin-bottom: var(--s4); }
.reading li { padding-left: var(--s4); position: relative; }
.reading li::before { content: ""; position: absolute; left: 2px; top: 0.65em; width: 5px; height: 5px; border-radius: 50%; background: var(--accent); }
.set > .panel { margin-top: var(--s5); }
.set .tiles { margin-bottom: var(--s4); box-shadow: none; }
.set .legend { margin-top: var(--s3); }
.downloads { display: flex; flex-wrap: wrap; gap: var(--s2); margin: var(--s4) 0; }
.wrapping .word { white-space: normal; align-items: flex-start; }
.section-first { margin-top: var(--s5); }
.more { margin-top: var(--s3); }
.section-last { margin-bottom: var(--s5); }
.panel > p + pre, .panel > p + form { margin-top: var(--s3); }
.list-top { margin-top: var(--s4); }
.proof .notice { margin-bottom: var(--s3); }

@media (max-width: 62rem) { .dimensions { grid-template-columns: repeat(2, minmax(0, 1fr)); } }
@media (max-width: 44rem) { .dimensions { grid-template-columns: minmax(0, 1fr); } }
@media screen and (max-width: 52rem) {
  table.cards, table.cards tbody, table.cards tr, table.cards td, table.cards th { display: block; }
  table.cards thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  table.cards tr { padding: var(--s3) var(--s4); border-top: 1px solid var(--line); }
  table.cards tr:first-child { border-top: 0; }
  table.cards td, table.cards th { border: 0; padding: 0.1875rem 0 !important; text-align: left; }
  table.cards tbody th { font-size: var(--t-m); padding-bottom: var(--s1) !important; }
  table.cards td[data-label] { display: grid; grid-template-columns: 8.5rem minmax(0, 1fr); gap: var(--s3); align-items: baseline; }
  table.cards td .word { white-space: normal; overflow-wrap: anywhere; }
  table.cards td[data-label]::before { content: attr(data-label); color: var(--ink-2); font-size: var(--t-s); }
  table.cards td.blank, .matrix td:has(.word.none) { display: none; }
}
@media (max-width: 30rem) {
  .facts > div { grid-template-columns: minmax(0, 1fr); gap: 0; }
  .tile { flex-basis: 8rem; padding: var(--s3) var(--s4); }
}
`
