/**
 * Which clauses of laws and standards the evidence of a pack may support. A reading aid: which of them bind whom, and
 * whether what is here is enough, is the auditor's to say. Nothing here certifies anything.
 */
import { isAccepted } from '@bevis/shared/contract/acceptance'
import type { Contract } from '@bevis/shared/contract/schema'
import type { Answer } from '@bevis/shared/contract/answer'
import type { ContractEvent, EvidenceName } from '@bevis/shared/evidence/predicates'
import { evidenceNameOf, isEvidence } from '@bevis/shared/evidence/statement'
import type { Surveyed } from '../survey.ts'

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

export interface Control {
  readonly clause: Words
  readonly demand: Words
  readonly evidence: readonly EvidenceId[]
  /** Left out: shown whatever the contract names. */
  readonly regimes?: readonly Contract['regimes'][number][]
}

const same = (text: string): Words => ({ da: text, en: text })

export const CONTROLS: readonly Control[] = [
  {
    clause: same('ISO/IEC 27001:2022 A.8.13'),
    demand: {
      da: 'Sikkerhedskopier vedligeholdes og testes jævnligt efter aftalt politik',
      en: 'Backup copies are maintained and regularly tested in accordance with the agreed policy',
    },
    evidence: ['E1', 'E2', 'E3', 'E4', 'E7'],
  },
  {
    clause: same('ISO/IEC 27001:2022 A.5.22, A.5.28, A.5.30, A.5.33, A.8.10'),
    demand: {
      da: 'Opfølgning på leverandører, bevissikring, beredskab, beskyttelse af optegnelser, sletning',
      en: 'Monitoring of suppliers, collection of evidence, readiness, protection of records, deletion',
    },
    evidence: ['E7', 'E8', 'E9', 'E11'],
  },
  {
    clause: {
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
    clause: {
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
    clause: {
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
    clause: same('(EU) 2024/2690 4.2.2 a-f'),
    demand: {
      da: 'Backupplaner: genopretningstid, fuldstændighed, adskilte kopier, adgang, gendannelse, opbevaringsperioder',
      en: 'Backup plans: recovery times, completeness, separate copies, access, restoration, retention periods',
    },
    evidence: ['E2', 'E4', 'E5', 'E6', 'E7', 'E10', 'E11'],
    regimes: ['nis2', 'nis2-msp'],
  },
  {
    clause: same('(EU) 2024/2690 4.2.3, 4.2.5, 4.2.6'),
    demand: {
      da: 'Integritetskontrol, ressourcer, dokumenterede genopretningstest med korrigerende handlinger',
      en: 'Integrity checks, resources, documented recovery tests with corrective action',
    },
    evidence: ['E4', 'E5', 'E8', 'E12'],
    regimes: ['nis2', 'nis2-msp'],
  },
  {
    clause: {
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
    clause: {
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
    clause: same('SOC 2 A1.2, A1.3'),
    demand: {
      da: 'Backup er tilrettelagt og overvåget; genopretning, integritet og fuldstændighed er testet',
      en: 'Backup is designed and monitored; recovery, integrity and completeness are tested',
    },
    evidence: ['E2', 'E4', 'E6', 'E8'],
    regimes: ['soc2'],
  },
  {
    clause: same('ISAE 3402 type 2'),
    demand: {
      da: 'Kontroller har virket i hele perioden: hele populationen, og genudførelse uden os',
      en: 'Controls worked through the whole period: the whole population, and re-performance without us',
    },
    evidence: ['E2', 'E3', 'E4', 'E7'],
    regimes: ['isae3402'],
  },
  {
    clause: same('CIS Controls v8 11.1-11.5'),
    demand: {
      da: 'Proces; automatisk backup mindst ugentligt; beskyttede og isolerede kopier; stikprøver hvert kvartal',
      en: 'Process; automated backup at least weekly; protected and isolated copies; sampled restores each quarter',
    },
    evidence: ['E2', 'E4', 'E6', 'E10', 'E11'],
  },
  {
    clause: same('NIST SP 800-53 CP-9, CP-4, CP-10'),
    demand: {
      da: 'Backup; integritetstest; stikprøvegendannelse; adskilte kopier; kryptering; genopbygning',
      en: 'Backup; integrity test; sampled restoration; separate copies; encryption; reconstitution',
    },
    evidence: ['E2', 'E4', 'E5', 'E6', 'E10', 'E11'],
  },
]

export function controlsFor({ regimes }: Pick<Contract, 'regimes'>): Control[] {
  return CONTROLS.filter(
    (one) => one.regimes === undefined || one.regimes.some((regime) => regimes.includes(regime)),
  )
}

/** How much of each kind a pack holds for its period. */
export function countEvidence(
  contract: Contract,
  answer: Answer,
  inPeriod: readonly Surveyed[],
  /** All that were ever logged: an acceptance lasts. */
  events: readonly ContractEvent[],
  period: { readonly from: string; readonly to: string },
): Record<EvidenceId, number> {
  const count = (...names: EvidenceName[]) =>
    inPeriod.filter(({ statement }) => names.includes(evidenceNameOf(statement))).length
  const copies = new Set(
    contract.versions.flatMap(({ sets }) =>
      sets.flatMap((set) => (set.copies ?? []).map((copy) => copy.repository)),
    ),
  )
  const having = (isCounted: (statement: Surveyed['statement']) => boolean) =>
    inPeriod.filter(({ statement }) => isCounted(statement)).length
  return {
    E1: contract.versions.filter((version) => isAccepted(version, events)).length,
    E2: count('backup-run'),
    E3: count('inventory'),
    E4: count('restore-test'),
    E5: count('data-check'),
    E6:
      count('deletion-probe') +
      having(
        (one) =>
          isEvidence(one, 'inventory') &&
          [one.predicate.repository.id, one.predicate.repository.lineage].some((name) =>
            copies.has(name ?? ''),
          ),
      ),
    E7: answer.sets
      .flatMap(({ obligations }) => obligations)
      .filter(({ from, to }) => from < period.to && to > period.from).length,
    E8:
      answer.findings.length +
      having((one) => isEvidence(one, 'contract-event') && one.predicate.event === 'finding-acknowledged'),
    E9: having((one) => isEvidence(one, 'retention-run') && one.predicate.pruned),
    E10: count('agent-lifecycle'),
    E11: having((one) => isEvidence(one, 'restore-test') && one.predicate.reason === 'drill'),
    E12: having((one) => isEvidence(one, 'inventory') && one.predicate.sizeBytes !== undefined),
  }
}
