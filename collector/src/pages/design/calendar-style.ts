/**
 * The heat map of obligations. A cell is one element: its ground is the colour, its `::before` the shape (clip-path,
 * so that no image and no inline style is needed), its `aria-label` the word, shown in the tier's read-out on hover
 * and on focus. A kept point is a quiet dot; what needs a person is loud.
 * A cell and its gap measure 24 px (WCAG 2.2, 2.5.8 Target Size).
 */
export const calendarStyle = /* css */ `
.tier { position: relative; padding-top: var(--s5); margin-top: var(--s5); border-top: 1px solid var(--line); }
.tier-head { display: flex; flex-wrap: wrap; gap: 0 var(--s3); align-items: baseline; min-height: 1.75rem; margin-bottom: var(--s3); padding-right: min(50%, 26rem); }
.tier-head span { font-weight: 400; color: var(--ink-2); font-size: var(--t-s); }
.months { display: grid; grid-template-columns: repeat(auto-fill, 165px); gap: var(--s5) var(--s5); justify-content: start; }
.month h5, .year h5, .day h5 { margin: 0 0 var(--s1); font-size: var(--t-xs); font-weight: 600; color: var(--ink-2); }
.month h5 a, .year h5 a, .day h5 a { display: inline-flex; min-height: 1.5rem; align-items: center; color: inherit; text-decoration-color: transparent; }
.month h5 a:hover, .year h5 a:hover, .day h5 a:hover { color: var(--accent); text-decoration-color: currentColor; }
.grid { display: grid; grid-template-columns: repeat(7, 21px); gap: 3px; }
.years { display: grid; gap: var(--s3); }
.run { display: flex; flex-wrap: wrap; gap: 3px; }
.year, .day { display: grid; grid-template-columns: 5.5rem minmax(0, 1fr); gap: var(--s1) var(--s3); align-items: start; }
.day + .day { margin-top: 3px; }
.from-1 { grid-column-start: 1; } .from-2 { grid-column-start: 2; } .from-3 { grid-column-start: 3; } .from-4 { grid-column-start: 4; }
.from-5 { grid-column-start: 5; } .from-6 { grid-column-start: 6; } .from-7 { grid-column-start: 7; }

.c { width: 21px; height: 21px; border-radius: 5px; display: grid; place-items: center; forced-color-adjust: none; print-color-adjust: exact; text-decoration: none; }
.c::before { content: ""; width: 11px; height: 11px; background: currentColor; }
.c:hover, .c:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; border-radius: 5px; z-index: 1; }
.c:hover::after, .c:focus-visible::after, .c:target::after {
  content: attr(aria-label); position: absolute; right: 0; top: var(--s5); max-width: min(50%, 26rem); padding: 0.1875rem 0.625rem;
  border-radius: var(--radius-s); background: var(--ink); color: var(--paper); font-size: var(--t-s); font-weight: 400; text-align: left; line-height: 1.45; pointer-events: none;
}
.c.blank { background: transparent; box-shadow: inset 0 0 0 1px var(--line); } .c.blank::before { display: none; }
.c.met { background: var(--good-tint); color: var(--good-solid); } .c.met::before { width: 9px; height: 9px; border-radius: 50%; }
.c.discharged { background: var(--good-tint); color: var(--good-solid); } .c.discharged::before { width: 5px; height: 5px; border-radius: 50%; }
.c.stale, .c.late { background: var(--risk-solid); color: var(--risk-on); } .c.stale::before, .c.late::before { clip-path: polygon(50% 4%, 100% 92%, 0 92%); }
.c.missed { background: var(--bad-solid); color: var(--bad-on); } .c.missed::before { clip-path: polygon(18% 0, 50% 32%, 82% 0, 100% 18%, 68% 50%, 100% 82%, 82% 100%, 50% 68%, 18% 100%, 0 82%, 32% 50%, 0 18%); }
.c.lost { background: var(--bad-solid); color: var(--bad-on); } .c.lost::before { height: 3px; }
.c.unknown { background: var(--dark-solid); color: var(--dark-on); } .c.unknown::before { clip-path: polygon(50% 0, 100% 50%, 50% 100%, 0 50%); }
.c.pending { background: transparent; color: var(--ink-3); } .c.pending::before { background: none; border: 2px solid currentColor; border-radius: 50%; }
.c.excused { background: var(--sunk); color: var(--ink-3); box-shadow: inset 0 0 0 1px var(--line); } .c.excused::before { height: 2px; }

.chip { width: auto; min-width: 4.25rem; height: 30px; padding: 0 0.625rem 0 0.4375rem; grid-auto-flow: column; justify-content: start; gap: 0.4375rem; font-size: var(--t-s); border-radius: var(--radius-s); }
.chip.met, .chip.discharged { color: var(--good-text); }
.legend { display: flex; flex-wrap: wrap; gap: var(--s1) var(--s4); font-size: var(--t-xs); color: var(--ink-2); }
.legend li { display: flex; align-items: center; gap: 0.4375rem; }
.legend .c { width: 18px; height: 18px; }
.legend .c::before { scale: 0.86; }

@media screen and (max-width: 44rem) {
  .tier-head { padding-right: 0; }
  .months { grid-template-columns: minmax(0, 1fr); gap: var(--s4); justify-content: stretch; }
  .month.early { display: none; }
  .grid { grid-template-columns: repeat(7, minmax(0, 1fr)); }
  .month .c { width: auto; height: 30px; }
  .year, .day { grid-template-columns: minmax(0, 1fr); }
  .c:hover::after, .c:focus-visible::after, .c:target::after { position: fixed; left: var(--s3); right: var(--s3); top: auto; bottom: var(--s3); max-width: none; z-index: 5; padding: var(--s2) var(--s3); }
}
`
