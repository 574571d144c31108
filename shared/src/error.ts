/** What an error of this code means, what to do about it, and how programs report it. */
export interface ErrorSpec {
  /** What happened, in one sentence. */
  readonly means: string
  /** What a person does about it. */
  readonly cure: string
  /** Whether the same call can succeed: never, later (a state elsewhere must change), or now (at once). */
  readonly retry: 'never' | 'later' | 'now'
  /** Exit status of a command that ends with it. A bad answer (1) is a verdict; 2 means that none was reached. */
  readonly exit: 1 | 2
  /** Status of an HTTP answer that carries it (RFC 9457 problem details). */
  readonly http: number
}

const never = { retry: 'never', exit: 2, http: 400 } as const
const later = { retry: 'later', exit: 2, http: 503 } as const

/** The closed table of all errors. A code that is not here cannot be thrown. */
export const ERRORS = {
  USAGE: { ...never, means: 'The command was called wrongly.', cure: 'See --help.' },
  CONFIG_INVALID: {
    ...never,
    means: 'A configuration file cannot be used.',
    cure: 'Mend the lines that the message names.',
  },
  SECRET_UNREADABLE: {
    ...never,
    means: 'A password, key or token file cannot be read.',
    cure: 'Check the path, its owner and its mode (0600).',
  },
  STATE_LOCKED: {
    ...later,
    means: 'Another process of ours works on the same state or repository.',
    cure: 'Wait for it to end, or stop it.',
  },
  STATE_DAMAGED: {
    ...never,
    means: 'The state folder holds something that cannot be trusted.',
    cure: 'Keep a copy, then restore the folder or enrol anew.',
  },
  RESTIC_MISSING: {
    ...never,
    means: 'The restic program cannot be started.',
    cure: 'Install restic 0.14 or later, or name it in the configuration.',
  },
  RESTIC_TOO_OLD: {
    ...never,
    means: 'This restic is older than 0.14.',
    cure: 'Install restic 0.17.1 or later (0.14 works, more slowly).',
  },
  RESTIC_FAILED: {
    ...later,
    means: 'restic ended with an error that is none of the known ones.',
    cure: 'Read its message.',
  },
  RESTIC_SOURCE_INCOMPLETE: {
    ...later,
    means: 'restic could not read some source files; the snapshot exists without them.',
    cure: 'Look at the listed paths: their modes, or files that vanished.',
  },
  RESTIC_REPOSITORY_MISSING: {
    ...never,
    means: 'There is no repository at this location.',
    cure: 'Check the address; create it with `bevis-agent backup SET --init`.',
  },
  RESTIC_REPOSITORY_LOCKED: {
    ...later,
    means: 'Another restic process holds a lock on the repository.',
    cure: 'Wait; if no restic runs anywhere, run `restic unlock`.',
  },
  RESTIC_REPOSITORY_DAMAGED: {
    ...never,
    means: 'The repository cannot be read as a whole: parts are damaged or missing.',
    cure: 'Run `restic check --read-data`, then see restic’s manual on repair.',
  },
  RESTIC_REPOSITORY_UNREACHABLE: {
    ...later,
    means: 'The repository’s storage cannot be reached.',
    cure: 'Check the network, the address and the credentials.',
  },
  RESTIC_PASSWORD_WRONG: {
    ...never,
    means: 'No key of the repository opens with this password.',
    cure: 'Check the password file.',
  },
  RESTIC_INTERRUPTED: { ...later, means: 'restic was stopped before it had ended.', cure: 'Run it again.' },
  RESTIC_OUTPUT_INVALID: {
    ...never,
    means: 'restic’s output could not be understood, so nothing is concluded from it.',
    cure: 'Report it with the version of restic.',
  },
  RESTIC_TIMEOUT: {
    ...later,
    means: 'restic made no progress, or took longer than allowed, and was stopped.',
    cure: 'Check the storage; raise the budget if it is only slow.',
  },
  SOURCE_MISSING: {
    ...never,
    means: 'A path of the backup set does not exist.',
    cure: 'Mount it, or take it out of the set.',
  },
  SOURCE_UNREADABLE: {
    ...later,
    means: 'A source file could not be read.',
    cure: 'Give the agent the right to read it (CAP_DAC_READ_SEARCH).',
  },
  SCRATCH_FULL: {
    ...later,
    means: 'The scratch folder has too little room for the restored files.',
    cure: 'Free space, or name another scratch folder.',
  },
  SCRATCH_REFUSED: {
    ...never,
    means: 'The scratch folder cannot be used safely.',
    cure: 'Name a folder outside the sources and the repository.',
  },
  MANIFEST_DAMAGED: {
    ...never,
    means: 'A stored manifest does not have the digest that was signed.',
    cure: 'Nothing is compared with it; find out who changed it.',
  },
  NOTHING_TO_TEST: {
    ...later,
    means: 'There was no file to test, or no data to check.',
    cure: 'Check the set’s paths, and that the snapshot holds files and the repository data.',
  },
  NOT_ENOUGH_CONCLUSIVE: {
    ...later,
    means: 'Too few of the drawn files could be judged.',
    cure: 'Test a newer snapshot: its witnesses make files conclusive.',
  },
  BUDGET_SPENT: {
    ...later,
    means: 'The configured budget ended the test before it had an answer.',
    cure: 'Raise restoreTest.budget, or draw fewer files.',
  },
  PROBE_FAILED: {
    ...never,
    exit: 1,
    means: 'A probe found that restored data cannot be used.',
    cure: 'Read what it says of the file; restore that file and look at it by hand.',
  },
  PROBE_INCONCLUSIVE: {
    ...later,
    means: 'A probe of restored data came to no result.',
    cure: 'Read its reason; `required: false` keeps it from counting.',
  },
  METADATA_DIFFERS: {
    ...never,
    exit: 1,
    means: 'Restored files are whole, but have another mode, owner, time, link or attribute.',
    cure: 'Read which; restore with the rights and onto a file system that can hold them.',
  },
  CONTROL_MISSED: {
    ...never,
    means: 'The negative control was not caught, so the test is void.',
    cure: 'Report it: the test cannot be trusted on this machine.',
  },
  ANOMALY_FOUND: {
    ...never,
    exit: 1,
    means: 'A backup differs from the one before it as it would after an attack or a loss.',
    cure: 'Look at the files that it names; then `bevis-agent retention SET --release-hold --reason TEXT`.',
  },
  RETENTION_REFUSED: {
    ...never,
    means: 'It is not certain what the contract owes, so nothing is removed.',
    cure: 'Mend what the message names.',
  },
  RETENTION_HELD: {
    ...never,
    exit: 1,
    means: 'Retention is held: nothing is removed until a person has looked.',
    cure: 'Look at what the hold names; then `bevis-agent retention SET --release-hold --reason TEXT`.',
  },
  HOOK_FAILED: {
    ...later,
    means: 'A local hook command did not end well.',
    cure: 'Run the command by hand and read what it says.',
  },
  KEY_INVALID: {
    ...never,
    http: 422,
    means: 'A key is not a usable Ed25519 key.',
    cure: 'Make a new key; small-order keys are refused.',
  },
  ENVELOPE_MALFORMED: {
    ...never,
    http: 422,
    means: 'This is not a DSSE envelope as it must be.',
    cure: 'Send the envelope as it was signed.',
  },
  SIGNATURE_INVALID: {
    ...never,
    exit: 1,
    http: 422,
    means: 'A signature does not fit its statement and key.',
    cure: 'The statement was changed, or another key signed it.',
  },
  AGENT_UNKNOWN: {
    ...never,
    http: 403,
    means: 'The collector does not know the key that signed.',
    cure: 'Enrol the agent.',
  },
  AGENT_REVOKED: {
    ...never,
    http: 403,
    means: 'The key that signed was revoked or retired.',
    cure: 'Enrol the agent anew.',
  },
  STATEMENT_INVALID: {
    ...never,
    http: 422,
    means: 'The payload is not a statement of the evidence specification.',
    cure: 'Update the program that made it.',
  },
  STATEMENT_EQUIVOCATION: {
    ...never,
    exit: 1,
    http: 409,
    means: 'Another statement has the same agent, epoch and number.',
    cure: 'Find the clone of the agent or its restored state.',
  },
  ENROLMENT_REFUSED: {
    ...never,
    http: 403,
    means: 'The enrolment token is unknown, used, expired or made for another host.',
    cure: 'Ask for a new invitation.',
  },
  NOT_ENROLLED: {
    ...never,
    means: 'This agent has no identity yet.',
    cure: 'Run `bevis-agent enroll`.',
  },
  COLLECTOR_UNREACHABLE: {
    ...later,
    means: 'The collector does not answer.',
    cure: 'Nothing is lost: the outbox is sent when it does.',
  },
  COLLECTOR_REFUSED: {
    ...never,
    means: 'The collector refused what was sent.',
    cure: 'Read the reason it gave; the statement is kept.',
  },
  RECEIPT_INVALID: {
    ...later,
    exit: 1,
    means: 'The collector’s receipt does not prove that the statement is in its log.',
    cure: 'Tell the customer: the outbox is kept.',
  },
  LOG_INCONSISTENT: {
    ...never,
    exit: 1,
    means: 'The log is not an extension of what it was before: its history was changed.',
    cure: 'Both signed checkpoints are kept as proof; find out who changed the log.',
  },
  LOG_ROLLED_BACK: {
    ...later,
    exit: 1,
    means: 'The log’s database is older than the last checkpoint that it signed.',
    cure: 'Restore the newest database; until then nothing is signed.',
  },
  CHECKPOINT_INVALID: {
    ...never,
    exit: 1,
    http: 422,
    means: 'A checkpoint is malformed, or not signed by the log’s key.',
    cure: 'Compare the log’s key with the one that was handed over at enrolment.',
  },
  PROOF_INVALID: {
    ...never,
    exit: 1,
    http: 422,
    means: 'A proof is malformed or does not lead to the root.',
    cure: 'Ask for the proof anew.',
  },
  TIMESTAMP_INVALID: {
    ...never,
    means: 'A time stamp does not prove what it is to prove.',
    cure: 'Trust nothing by it; check the authority’s address, its certificates and its policy.',
  },
  TSA_UNREACHABLE: {
    ...later,
    means: 'A time stamping authority gave no time stamp.',
    cure: 'Nothing is lost: it is asked again. Check its address and this host’s network.',
  },
  PACK_INVALID: {
    ...never,
    exit: 1,
    http: 422,
    means: 'This is not an evidence pack as it must be.',
    cure: 'Download it again; if it stays so, do not trust it.',
  },
  TRUST_INVALID: {
    ...never,
    means: 'The trust file cannot be used.',
    cure: 'Mend the lines that the message names.',
  },
  CONTRACT_INVALID: {
    ...never,
    http: 422,
    means: 'The contract cannot be used.',
    cure: 'Mend the lines that the message names.',
  },
  FACTS_INVALID: {
    ...never,
    http: 422,
    means: 'The facts cannot be read.',
    cure: 'Mend the line that the message names.',
  },
  CLOCK_AHEAD: {
    ...later,
    means: 'The collector’s log is dated ahead of its clock, so that what it takes now is dated wrongly.',
    cure: 'Set the clock right if it is behind. If it was ahead once, its dates stay, and are right again when they have passed.',
  },
  STORE_FAILED: {
    ...later,
    means: 'The database refused a read or a write.',
    cure: 'Check the disk; nothing was answered, so agents send again.',
  },
  REQUEST_TOO_LARGE: {
    ...never,
    http: 413,
    means: 'More was sent than is taken at once.',
    cure: 'Send smaller batches.',
  },
  REQUEST_INVALID: {
    ...never,
    means: 'A request does not have the form that the interface describes.',
    cure: 'See /openapi.json.',
  },
  UNAUTHORIZED: { ...never, http: 401, means: 'Nobody is signed in.', cure: 'Sign in.' },
  FORBIDDEN: {
    ...never,
    http: 403,
    means: 'This account may not do that.',
    cure: 'Ask an administrator of the provider.',
  },
  NOT_FOUND: { ...never, http: 404, means: 'There is no such thing here.', cure: 'Check the name.' },
  TOO_MANY_REQUESTS: {
    ...later,
    http: 429,
    means: 'Too many requests came from here in a short time.',
    cure: 'Wait a little.',
  },
  INTERRUPTED: { ...later, means: 'The work was stopped before it had ended.', cure: 'Run it again.' },
  INTERNAL: {
    ...later,
    http: 500,
    means: 'Something failed that nobody foresaw.',
    cure: 'Report it with the log lines around it.',
  },
} as const satisfies Record<string, ErrorSpec>

export type ErrorCode = keyof typeof ERRORS

/** All codes, for schemas of statements and answers that carry one. */
export const ERROR_CODES = Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]]

/** The only error that our code throws: a code of the table, and a message that names the place and the cure. */
export class BevisError extends Error {
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'BevisError'
    this.code = code
  }
}

/** The code of any thrown thing; what is not ours is INTERNAL. */
export function errorCodeOf(error: unknown): ErrorCode {
  return error instanceof BevisError ? error.code : 'INTERNAL'
}

/** The message of any thrown thing, for people. */
export function errorMessageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
