/** Paper: light scheme, no navigation, full hashes, links told by their text alone. */
export const printStyle = /* css */ `
@media print {
  :root { color-scheme: light; font-size: 10pt; }
  @page { margin: 16mm 14mm; }
  body { background: #fff; display: block; }
  .nav, .who, .skip, .crumbs, .pager, .no-print, form, .tier-head + .visually-hidden { display: none !important; }
  .top, .panel, .tiles, .dimensions { box-shadow: none; }
  .top { border-bottom: 1px solid #999; }
  .wrap { max-width: none; padding: 0; }
  .columns, .split { display: block; }
  .columns > *, .split > * { margin-bottom: 4mm; }
  .dimensions { grid-template-columns: repeat(3, minmax(0, 1fr)); }
  .panel { padding: 4mm; }
  th, td { padding: 1mm 2mm; }
  main { padding: 4mm 0 2mm; }
  .head { margin-bottom: 4mm; }
  .panel + .panel { margin-top: 4mm; }
  .sign-off { margin-top: 6mm; gap: 8mm; }
  .foot { break-before: avoid; }
  .foot .wrap { padding-top: 2mm; padding-bottom: 0; flex-wrap: nowrap; }
  a { color: inherit; text-decoration: none; }
  .hash { max-width: none; white-space: normal; overflow-wrap: anywhere; }
  .month, .year, .day, tr, li, blockquote, .dimension, .notice, .sign-off, .facts > div { break-inside: avoid; }
  .panel { -webkit-box-decoration-break: clone; box-decoration-break: clone; }
  .panel.flush, .matrix, .scroll { overflow: visible; }
  .matrix table { font-size: 0.68rem; }
  .matrix th { white-space: normal; }
  .matrix tbody th { min-width: 27mm; }
  .matrix .word, .matrix .badge { white-space: normal; font-size: inherit; gap: 0.2rem; }
  .matrix th, .matrix td { padding: 1mm; }
  h2, h3, h4, thead { break-after: avoid; }
  pre { max-height: none; }
  details:not([open], .more), .panel:has(> details:only-child:not([open])) { display: none; }
  .questions { gap: 1.5mm; }
  .badge, .tile, .notice, .bar svg, .reading li::before { print-color-adjust: exact; }
}
`
