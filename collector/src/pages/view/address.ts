/** The pages' addresses: made here only, so that what people named is always encoded. */
const part = encodeURIComponent

export const contractHref = (id: string) => `/contracts/${part(id)}`

/** An agent's id is unique on one collector. */
export const agentHref = (id: string) => `/agents/${part(id)}`

export const evidenceHref = (digest: string) => `/evidence/${part(digest)}`

export const packHref = (contract: string) => `${contractHref(contract)}/pack`

/** A month's service report, of the whole contract or of a unit. */
export function reportHref(contract: string, month: string, unit?: string): string {
  return `${contractHref(contract)}/reports/${part(month)}${unitQuery(unit)}`
}

export function reportPdfHref(contract: string, month: string, unit?: string): string {
  return `${contractHref(contract)}/reports/${part(month)}/report.pdf${unitQuery(unit)}`
}

export function reportRecordHref(contract: string, month: string, unit?: string): string {
  return `${contractHref(contract)}/reports/${part(month)}/record.pdf${unitQuery(unit)}`
}

export const reportReplyHref = (contract: string, month: string) =>
  `${contractHref(contract)}/reports/${part(month)}/reply`

export const reportIssueHref = (contract: string, month: string) =>
  `${contractHref(contract)}/reports/${part(month)}/issue`

export const ledgerCsvHref = (contract: string) => `${contractHref(contract)}/ledger.csv`

function unitQuery(unit: string | undefined): string {
  return unit === undefined ? '' : `?unit=${part(unit)}`
}

/** The obligations of one tier in one period. */
export function periodHref(
  contract: string,
  set: string,
  tier: string,
  period: string,
  knownOn?: string,
): string {
  return `${contractHref(contract)}/sets/${part(set)}/${part(tier)}?period=${part(period)}${knownQuery(knownOn, '&')}`
}

export function obligationHref(
  contract: string,
  set: string,
  tier: string,
  bucket: string,
  knownOn?: string,
): string {
  return `${contractHref(contract)}/sets/${part(set)}/${part(tier)}/${part(bucket)}${knownQuery(knownOn, '?')}`
}

function knownQuery(knownOn: string | undefined, joint: '?' | '&'): string {
  return knownOn === undefined ? '' : `${joint}known=${part(knownOn)}`
}

/** An address of ours to go to next, whatever came from outside: never another host's. */
export function ownPath(path: unknown): string {
  if (typeof path !== 'string' || path.length > 2_000) return '/'
  // a second slash or a backslash would make a browser read a host; a control character is taken out by it first
  if (!/^\/(?![/\\])[^\\\p{Cc}]*$/u.test(path)) return '/'
  return path
}
