/**
 * Which clauses of laws and standards a statement may support. A reading aid: which of them bind whom, and whether
 * what is here is enough, is the auditor's to say. Nothing here certifies anything.
 *
 * Packs are marked by this table and verified by it: what an id stands for never changes. Another reading is another id.
 */
import type { Contract } from '../contract/schema.ts'
import { isEvidence } from './statement.ts'
import type { Statement } from './statement.ts'

export const EVIDENCE_IDS = [
  'E1',
  'E2',
  'E3',
  'E4',
  'E5',
  'E6',
  'E7',
  'E8',
  'E9',
  'E10',
  'E11',
  'E12',
] as const
export type EvidenceId = (typeof EVIDENCE_IDS)[number]

interface Words {
  readonly da: string
  readonly en: string
}

export const CLAUSE_IDS = [
  'iso27001-8.13',
  'iso27001-5.22',
  'gdpr-32',
  'gdpr-5',
  'nis2-21',
  'eu2024-2690-4.2.2',
  'eu2024-2690-4.2.3',
  'dora-12',
  'bogforingsloven-15',
  'soc2-a1',
  'isae3402',
  'cis-11',
  'nist-cp',
] as const
export type ClauseId = (typeof CLAUSE_IDS)[number]

export interface Clause {
  readonly id: ClauseId
  readonly name: Words
  readonly demand: Words
  readonly evidence: readonly EvidenceId[]
  /** Left out: shown whatever the contract names. */
  readonly regimes?: readonly Contract['regimes'][number][]
}

const same = (text: string): Words => ({ da: text, en: text })

export const CLAUSES: readonly Clause[] = [
  {
    id: 'iso27001-8.13',
    name: same('ISO/IEC 27001:2022 A.8.13'),
    demand: {
      da: 'Sikkerhedskopier vedligeholdes og testes jævnligt efter aftalt politik',
      en: 'Backup copies are maintained and regularly tested in accordance with the agreed policy',
    },
    evidence: ['E1', 'E2', 'E3', 'E4', 'E7'],
  },
  {
    id: 'iso27001-5.22',
    name: same('ISO/IEC 27001:2022 A.5.22, A.5.28, A.5.30, A.5.33, A.8.10'),
    demand: {
      da: 'Opfølgning på leverandører, bevissikring, beredskab, beskyttelse af optegnelser, sletning',
      en: 'Monitoring of suppliers, collection of evidence, readiness, protection of records, deletion',
    },
    evidence: ['E7', 'E8', 'E9', 'E11'],
  },
  {
    id: 'gdpr-32',
    name: {
      da: 'Databeskyttelsesforordningen art. 32, stk. 1, litra b-d',
      en: 'GDPR Article 32(1)(b)-(d)',
    },
    demand: {
      da: 'Robusthed, rettidig genopretning af adgang til data, regelmæssig afprøvning',
      en: 'Resilience, timely restoration of access to data, regular testing',
    },
    evidence: ['E4', 'E7'],
    regimes: ['gdpr'],
  },
  {
    id: 'gdpr-5',
    name: {
      da: 'Databeskyttelsesforordningen art. 5, stk. 1, litra e, og stk. 2; art. 28, stk. 3, litra h',
      en: 'GDPR Articles 5(1)(e), 5(2) and 28(3)(h)',
    },
    demand: {
      da: 'Opbevaringsbegrænsning, ansvarlighed, oplysninger til revision',
      en: 'Storage limitation, accountability, information for audits',
    },
    evidence: ['E7', 'E9'],
    regimes: ['gdpr'],
  },
  {
    id: 'nis2-21',
    name: {
      da: 'NIS 2-loven § 6, stk. 1, nr. 3 (NIS2 art. 21, stk. 2, litra c)',
      en: 'NIS2 Article 21(2)(c)',
    },
    demand: {
      da: 'Driftskontinuitet, backupstyring og reetablering',
      en: 'Business continuity, backup management and recovery',
    },
    evidence: ['E1', 'E4', 'E7', 'E11'],
    regimes: ['nis2', 'nis2-msp'],
  },
  {
    id: 'eu2024-2690-4.2.2',
    name: same('(EU) 2024/2690 4.2.2 a-f'),
    demand: {
      da: 'Backupplaner: genopretningstid, fuldstændighed, adskilte kopier, adgang, gendannelse, opbevaringsperioder',
      en: 'Backup plans: recovery times, completeness, separate copies, access, restoration, retention periods',
    },
    evidence: ['E2', 'E4', 'E5', 'E6', 'E7', 'E10', 'E11'],
    regimes: ['nis2', 'nis2-msp'],
  },
  {
    id: 'eu2024-2690-4.2.3',
    name: same('(EU) 2024/2690 4.2.3, 4.2.5, 4.2.6'),
    demand: {
      da: 'Integritetskontrol, ressourcer, dokumenterede genopretningstest med korrigerende handlinger',
      en: 'Integrity checks, resources, documented recovery tests with corrective action',
    },
    evidence: ['E4', 'E5', 'E8', 'E12'],
    regimes: ['nis2', 'nis2-msp'],
  },
  {
    id: 'dora-12',
    name: {
      da: 'DORA art. 11, stk. 6, og art. 12, stk. 1-3 og 7',
      en: 'DORA Articles 11(6) and 12(1)-(3), 12(7)',
    },
    demand: {
      da: 'Årlige test; backuppens omfang og hyppighed; periodiske test; adskilte systemer; integritet',
      en: 'Yearly tests; scope and frequency of backup; periodic tests; segregated systems; integrity',
    },
    evidence: ['E1', 'E2', 'E4', 'E11'],
    regimes: ['dora'],
  },
  {
    id: 'bogforingsloven-15',
    name: {
      da: 'Bogføringsloven § 15, stk. 1, nr. 1-2, og § 12',
      en: 'Danish Bookkeeping Act, sections 12 and 15(1)',
    },
    demand: {
      da: 'Regnskabsmateriale opbevares sikkert i 5 år; automatisk sikkerhedskopiering',
      en: 'Accounting records are kept safe for 5 years; automatic backup',
    },
    evidence: ['E2', 'E7'],
    regimes: ['bogforingsloven'],
  },
  {
    id: 'soc2-a1',
    name: same('SOC 2 A1.2, A1.3'),
    demand: {
      da: 'Backup er tilrettelagt og overvåget; genopretning, integritet og fuldstændighed er testet',
      en: 'Backup is designed and monitored; recovery, integrity and completeness are tested',
    },
    evidence: ['E2', 'E4', 'E6', 'E8'],
    regimes: ['soc2'],
  },
  {
    id: 'isae3402',
    name: same('ISAE 3402 type 2'),
    demand: {
      da: 'Kontroller har virket i hele perioden: hele populationen, og genudførelse uden os',
      en: 'Controls worked through the whole period: the whole population, and re-performance without us',
    },
    evidence: ['E2', 'E3', 'E4', 'E7'],
    regimes: ['isae3402'],
  },
  {
    id: 'cis-11',
    name: same('CIS Controls v8 11.1-11.5'),
    demand: {
      da: 'Proces; automatisk backup mindst ugentligt; beskyttede og isolerede kopier; stikprøver hvert kvartal',
      en: 'Process; automated backup at least weekly; protected and isolated copies; sampled restores each quarter',
    },
    evidence: ['E2', 'E4', 'E6', 'E10', 'E11'],
  },
  {
    id: 'nist-cp',
    name: same('NIST SP 800-53 CP-9, CP-4, CP-10'),
    demand: {
      da: 'Backup; integritetstest; stikprøvegendannelse; adskilte kopier; kryptering; genopbygning',
      en: 'Backup; integrity test; sampled restoration; separate copies; encryption; reconstitution',
    },
    evidence: ['E2', 'E4', 'E5', 'E6', 'E10', 'E11'],
  },
]

/** Those that bind whoever the contract names, and those that bind all. */
export function clausesFor({ regimes }: Pick<Contract, 'regimes'>): Clause[] {
  return CLAUSES.filter(
    (one) => one.regimes === undefined || one.regimes.some((regime) => regimes.includes(regime)),
  )
}

/** The names, ids or lineages, of the repositories that a contract has copies in. */
export function copiesOf({ versions }: Pick<Contract, 'versions'>): ReadonlySet<string> {
  return new Set(
    versions.flatMap(({ sets }) =>
      sets.flatMap(({ copies = [] }) => copies.map(({ repository }) => repository)),
    ),
  )
}

/**
 * What a statement is evidence of. Judged recovery points (E7) and findings (E8) are worked out from statements: the
 * runs and inventories that the points are judged by, and the acknowledgements, stand for them.
 */
export function objectsOf(statement: Statement, copies: ReadonlySet<string>): EvidenceId[] {
  if (isEvidence(statement, 'backup-run')) return ['E2', 'E7']
  if (isEvidence(statement, 'inventory')) {
    const { repository, sizeBytes } = statement.predicate
    const isCopy = [repository.id, repository.lineage].some((name) => copies.has(name ?? ''))
    return [
      'E3',
      ...(isCopy ? (['E6'] as const) : []),
      'E7',
      ...(sizeBytes === undefined ? [] : (['E12'] as const)),
    ]
  }
  if (isEvidence(statement, 'restore-test'))
    return statement.predicate.reason === 'drill' ? ['E4', 'E11'] : ['E4']
  if (isEvidence(statement, 'data-check')) return ['E5']
  if (isEvidence(statement, 'deletion-probe')) return ['E6']
  if (isEvidence(statement, 'retention-run')) return statement.predicate.pruned ? ['E9'] : []
  if (isEvidence(statement, 'agent-lifecycle')) return ['E10']
  if (!isEvidence(statement, 'contract-event')) return []
  const { event } = statement.predicate
  if (event === 'version-accepted') return ['E1']
  return event === 'finding-acknowledged' ? ['E8'] : []
}
