/** Contracts of an invented provider with invented customers, for the pages to tell of. */

export interface Story {
  id: string
  customer: string
  cvr: string
  agent: string
  set: string
  lineage: string
  paths: string[]
  wording: string
  /** Lines of `retention.min`. */
  tiers: string[]
  /** More lines of the set. */
  more: string[]
  /** Local date of the first promise. */
  since: string
  /** Lines of the version, and what a month costs. */
  penalties?: { monthlyFee: number; lines: string[] }
}

export const STORIES: readonly Story[] = [
  {
    id: 'AFT-2025-052',
    customer: 'Havfruen Keramik ApS',
    cvr: '33445566',
    agent: 'web1',
    set: 'shop',
    lineage: 'hfk-web',
    paths: ['/srv/shop/dump', '/srv/shop/media'],
    wording: 'Seneste 14 dage, 8 ugers backup (lørdage), 6 måneders backup.',
    tiers: ['{per: day, keep: 14}', '{per: week, keep: 8, anchor: SAT}', '{per: month, keep: 6}'],
    more: ['restoreTest: {every: P1M, mode: sample, rto: PT4H}'],
    since: '2025-03-01',
  },
  {
    id: 'AFT-2025-014',
    customer: 'Vestkyst Tømrer & Snedker ApS',
    cvr: '12345674',
    agent: 'srv-c5',
    set: 'c5-regnskab',
    lineage: 'vts-01',
    paths: ['D:\\C5Data', 'D:\\Bilag'],
    wording: 'Daglig backup gemmes i 30 dage, månedsbackup i 13 måneder, årsbackup i 5 år.',
    tiers: ['{per: day, keep: 30}', '{per: month, keep: 13}', '{per: year, keep: 5}'],
    more: ['restoreTest: {every: P1M, mode: sample, rto: P1D}'],
    since: '2024-11-24',
    penalties: {
      monthlyFee: 4800,
      lines: [
        '- {measure: points.missed, per: obligation, pctOfMonthlyFee: 5, capPct: 20}',
        '- {measure: retention.lost, per: obligation, pctOfMonthlyFee: 10}',
        '- {measure: kundetilfredshed, per: month, pctOfMonthlyFee: 2}',
      ],
    },
  },
  {
    id: 'AFT-2025-031',
    customer: 'Klinik Fjordparken A/S',
    cvr: '22334455',
    agent: 'epj01',
    set: 'epj-db',
    lineage: 'kfp-epj',
    paths: ['/var/backups/epj', '/etc/epj'],
    wording: 'Timebackup i 48 timer, daglig i 60 dage.',
    tiers: ['{per: hour, keep: 48}', '{per: day, keep: 60}'],
    more: [
      'personalData: special',
      'schedule: {every: PT1H, lateGrace: PT1H, rpo: PT2H}',
      'restoreTest: {every: P7D, grace: P14D, mode: sample, sample: {files: 200}, rto: PT8H}',
    ],
    since: '2026-11-08',
  },
  {
    id: 'AFT-2026-007',
    customer: 'Nordvang Advokater I/S',
    cvr: '44556677',
    agent: 'sagsarkiv',
    set: 'sager',
    lineage: 'nva-sager',
    paths: ['/srv/sager'],
    wording: 'Daglig backup i 90 dage.',
    tiers: ['{per: day, keep: 90}'],
    more: ['restoreTest: {every: P1M, mode: sample}'],
    since: '2026-06-01',
  },
  {
    id: 'AFT-2026-019',
    customer: 'Skovby Efterskole',
    cvr: '55667788',
    agent: 'skole-nas',
    set: 'elevdata',
    lineage: 'ske-nas',
    paths: ['/srv/elevdata'],
    wording: 'Daglig backup i 21 dage, ugebackup i 12 uger.',
    tiers: ['{per: day, keep: 21}', '{per: week, keep: 12}'],
    more: ['restoreTest: {every: P1M, mode: sample}'],
    since: '2026-05-04',
  },
  {
    id: 'AFT-2026-033',
    customer: 'Fanø Fragt og Færge A/S',
    cvr: '66778899',
    agent: 'booking',
    set: 'booking',
    lineage: 'fff-booking',
    paths: ['/var/lib/booking'],
    wording: 'Daglig backup i 30 dage.',
    tiers: ['{per: day, keep: 30}'],
    more: [],
    since: '2026-11-19',
  },
]

export function contractYaml(story: Story): string {
  const { id, customer, cvr, since, set, lineage, agent, paths, wording, tiers, more, penalties } = story
  const clauses =
    penalties === undefined ? '' : `  penalties:\n${penalties.lines.map((line) => `  ${line}\n`).join('')}`
  return `id: ${id}
provider: {name: Nordlys IT-drift ApS, cvr: "11223344"}
customer: {name: "${customer}", cvr: "${cvr}"}
term: {start: ${since}}
${penalties === undefined ? '' : `monthlyFee: ${penalties.monthlyFee}\n`}versions:
- no: 1
  effectiveFrom: ${since}
  acceptances:
  - {party: customer, person: M. Holm, role: direktør, at: 2020-01-01T08:00:00Z}
  - {party: provider, person: S. Lind, role: driftschef, at: 2020-01-01T08:00:00Z}
${clauses}  sets:
  - id: ${set}
    selector: {repository: ${lineage}, hosts: [${agent}], requiredPaths: [${paths.map((path) => `'${path}'`).join(', ')}]}
    retention:
      wording: "${wording}"
      min: [${tiers.join(', ')}]
${more.map((line) => `    ${line}`).join('\n')}
`
}
