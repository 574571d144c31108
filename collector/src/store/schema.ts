/**
 * The tables, as Kysely sees them. Instants are RFC 3339 texts, booleans are 0 or 1, JSON is text:
 * what every engine can hold without a type parser.
 *
 * Three kinds of tables:
 * - the log (`log_*`, and the first six columns of `statement`): append-only, never derived from anything;
 * - what people decided (`invitation`, `contract*`, `account`, `session`, `test_request`, `service_report`), what agents were told
 *   (`test_seed`) and what was seen on the way (`transition`, some kinds of `alarm`): kept;
 * - the projection (all others, and the other columns of `statement`): derived from the two above in log
 *   order, dropped and derived anew by `rebuild`.
 */
export interface Schema {
  log_leaf: LogLeafTable
  log_node: LogNodeTable
  log_checkpoint: LogCheckpointTable
  log_cosignature: LogCosignatureTable
  log_replay: LogReplayTable
  log_replay_head: LogReplayHeadTable
  log_stamp: LogStampTable
  tsa: TsaTable
  statement: StatementTable
  agent: AgentTable
  agent_contract: AgentContractTable
  agent_key: AgentKeyTable
  agent_cosigner: AgentCosignerTable
  alarm: AlarmTable
  invitation: InvitationTable
  contract: ContractTable
  contract_text: ContractTextTable
  service_report: ServiceReportTable
  verdict: VerdictTable
  transition: TransitionTable
  account: AccountTable
  session: SessionTable
  test_seed: TestSeedTable
  test_request: TestRequestTable
}

/** One leaf of the Merkle tree: one signature over one statement. Primary key `leaf_index`, from 0. */
export interface LogLeafTable {
  leaf_index: number
  /** 113 bytes, see `@bevis/shared/log/entry`; of a token 48, see `@bevis/shared/time/query`. */
  entry: Uint8Array
  /** Null: the token of a stamp, see {@link LogStampTable}. */
  statement_id: number | null
  /** Which of the envelope's signatures, from 0. */
  signature_no: number
}

/** The hash of a complete subtree: level 0 is a leaf hash. Primary key (`level`, `node_index`). */
export interface LogNodeTable {
  level: number
  node_index: number
  hash: Uint8Array
}

/** Every checkpoint that was signed. Primary key `size`: one size is signed once. */
export interface LogCheckpointTable {
  size: number
  root: Uint8Array
  /** The signed note, verbatim. */
  note: string
  signed_at: string
}

/**
 * What log witnesses and agents have said of signed heads. Primary key (`size`, `vkey`). Nothing is derived from
 * it, and it proves itself.
 */
export interface LogCosignatureTable {
  size: number
  /** The cosigner's key, type 04. */
  vkey: string
  /** The signature line of the note, verbatim, with its LF. */
  line: string
  received_at: string
}

/** A statement that was sent again after the database was set back. Primary key `leaf_index`. */
export interface LogReplayTable {
  leaf_index: number
  /** One for each signature. */
  leaves: number
  envelope: string
  received_at: string
  /** For a contract event: whose contract it is about; else empty. */
  tenant: string
  /** JSON, for an enrolment: its keys and contracts. */
  enrolment: string | null
  /** JSON, for what the collector logged itself: with a `text` that was applied, or a `stamp` without an envelope. */
  own: string | null
}

/** A head that was signed, as an agent has it. Primary key `size`. */
export interface LogReplayHeadTable {
  size: number
  note: string
}

/** Time stamps (RFC 3161) of signed heads, each a leaf of the log. Primary key `leaf_index`. */
export interface LogStampTable {
  leaf_index: number
  /** The head that was stamped. */
  size: number
  /** DER, verbatim. */
  token: Uint8Array
  /** Who was asked. */
  url: string
  /** When the authority says that it saw the head. */
  gen_time: string
  accuracy_ms: number
  /** Until when its certificates are good. */
  valid_until: string
  authority: string
  received_at: string
}

/** What became of asking a time stamping authority. Primary key `url`. Seen on the way and kept. */
export interface TsaTable {
  url: string
  asked_at: string
  /** When it last gave a stamp. */
  stamped_at: string | null
  /** Since when it has given none though it was asked; null while it does. */
  failed_since: string | null
  failure: string | null
}

export interface StatementTable {
  /** 1, 2, 3 … in log order. */
  id: number
  /** The first of its leaves; signature n lies at `leaf_index + n`. */
  leaf_index: number
  /** SHA-256 of the PAE, hex; unique. */
  pae_digest: string
  /** The signed payload, verbatim. */
  payload: Uint8Array
  /** The DSSE envelope as compact JSON. */
  envelope: string
  /** When the collector took it: its own clock, never going back in log order. */
  received_at: string

  /** 1: this is the first statement of its (tenant, agent, epoch, seq); 0: an equivocation, never judged by. */
  counted: number
  tenant: string
  /** Null, like the three after it, for a contract event: it stands in no agent's chain. */
  agent: string | null
  epoch: number | null
  seq: number | null
  /** PAE digest of the statement before it, as it says. */
  prev: string | null
  /** Key of the first signature. */
  keyid: string
  /** Name of the predicate: `backup-run`, `inventory`, `restore-test` … */
  name: string
  /** The end of what it tells, by the agent's clock. */
  stated_at: string
  contract_id: string | null
  set_id: string | null
  repository_id: string | null
  lineage: string | null
  snapshot_id: string | null
  /** `complete`, `partial`, `failed`, `PASSED`, `FAILED`, `INCONCLUSIVE`, a lifecycle event … in its own words. */
  outcome: string | null
}

/** Primary key (`tenant`, `id`). */
export interface AgentTable {
  tenant: string
  id: string
  host: string
  state: AgentState
  /** The newest epoch that it opened. */
  epoch: number
  enrolled_at: string
  last_received_at: string | null
  /** The agent's clock less the collector's, as the agent said last. */
  clock_offset_ms: number | null
  /** JSON: the predicate of its newest heartbeat or start (next runs, spool, versions), else `{}`. */
  detail: string
}

export type AgentState = 'active' | 'revoked' | 'retired'

/** Which contracts an agent's statements are judged under. Primary key: all three. */
export interface AgentContractTable {
  tenant: string
  agent: string
  contract_id: string
}

/** Keys that signed something in the log. Primary key `keyid`. */
export interface AgentKeyTable {
  keyid: string
  /** 44 bytes. */
  spki: Uint8Array
  tenant: string
  agent: string
  /** The epoch that the key opened; it may open later ones of the same agent. */
  epoch: number
  /** `token`: the one-time key of an invitation; `office`: the collector's own, for contract events. */
  purpose: 'agent' | 'token' | 'office'
  /** The leaf that made it known. */
  from_leaf: number
  /** The leaf of its revocation: what comes after it does not count. */
  revoked_leaf: number | null
  /** The customer's root key (vkey) that signed it, or the one that authorised it; null for none. */
  root: string | null
}

/** The keys with which agents cosign the log's heads, as they announced them. Primary key `vkey`. */
export interface AgentCosignerTable {
  vkey: string
  tenant: string
  agent: string
  /** The leaf that made it known. */
  from_leaf: number
}

/** What a person must look at. Primary key `id`: the kind and what it is about, the same when derived anew. */
export interface AlarmTable {
  id: string
  kind: AlarmKind
  tenant: string
  agent: string | null
  statement_id: number | null
  /** When the collector found it. */
  at: string
  /** JSON, by kind. */
  detail: string
}

export type AlarmKind =
  /** Two statements for one place in an agent's chain: a clone, or a machine set back. */
  | 'equivocation'
  /** `prev` is not the digest of the statement before it. */
  | 'broken-link'
  /** Statements before this one have not come (yet). */
  | 'sequence-gap'
  /** Dated after it was received. */
  | 'future-dated'
  /** Signed in an epoch that a later one has closed. */
  | 'closed-epoch'
  /** The checkpoint that the agent had verified is none of this log's: the log shows two histories. */
  | 'fork'
  /** The agent itself raised one. */
  | 'agent-alarm'
  /** A data check found damage in a repository. */
  | 'data-check-failed'
  | ObservedAlarmKind

/**
 * Alarms about what is not in the log, or about what the contracts were when it came: seen on the way and kept
 * like transitions. `rebuild` leaves them, and fsck cannot derive them.
 */
export const OBSERVED_ALARMS = ['revoked-agent', 'unmatched-repository', 'tsa-down'] as const

export type ObservedAlarmKind =
  /** An agent that was revoked or has retired still delivers; refused, and so not in the log. */
  | 'revoked-agent'
  /** Evidence of a repository or a host that no set of the agent's contracts names: nothing is judged by it. */
  | 'unmatched-repository'
  /** A time stamping authority has given no stamp for an hour; it is of no customer (its tenant is empty). */
  | 'tsa-down'

/** Who may enrol. Primary key `keyid`: of the token, whose seed the collector does not keep. */
export interface InvitationTable {
  keyid: string
  spki: Uint8Array
  tenant: string
  agent: string
  host: string
  /** JSON: contract ids. */
  contracts: string
  created_at: string
  expires_at: string
  used_at: string | null
}

/** Primary key `id`. */
export interface ContractTable {
  id: string
  tenant: string
  customer_name: string
  /** The last evaluation's worst verdict, for lists; the truth is the evaluation. */
  headline: string | null
  evaluated_at: string | null
}

/** Every text that was ever applied. Primary key (`contract_id`, `revision`), revision from 1. */
export interface ContractTextTable {
  contract_id: string
  revision: number
  /** Of the YAML's bytes, hex. */
  sha256: string
  yaml: string
  applied_at: string
  applied_by: string
}

/**
 * A service report as it was written, to be issued: it counts as issued when the log says so, by its digest. Primary
 * key (`contract_id`, `month`, `unit`).
 */
export interface ServiceReportTable {
  contract_id: string
  /** `2026-10` */
  month: string
  /** Empty for the whole contract. */
  unit: string
  /** Of `report`, hex. */
  sha256: string
  /** JSON, as it is hashed. */
  report: string
  pdf_da: Uint8Array
  pdf_en: Uint8Array
  written_at: string
}

/** The last evaluation, kept to find transitions; never shown as current. Primary key `contract_id`. */
export interface VerdictTable {
  contract_id: string
  at: string
  known_at: string
  /** JSON: what `evaluate` answered. */
  answer: string
}

/**
 * One change of one state of one contract. Primary key `id`, in the order they were found: a diary, not the
 * truth. Like `verdict` it proves nothing and is never shown as current, and fsck does not vouch for it.
 */
export interface TransitionTable {
  id: number
  contract_id: string
  /** Null for the contract's headline. */
  set_id: string | null
  /** `headline`, a dimension, or `<tier>/<bucket>`. */
  subject: string
  from_state: string | null
  to_state: string
  at: string
  known_at: string
}

/** Primary key `id`; `email` is unique, in lower case. */
export interface AccountTable {
  id: string
  email: string
  password_hash: string
  role: AccountRole
  /** Null: the provider, who sees all customers. */
  tenant: string | null
  language: 'da' | 'en'
  created_at: string
  disabled_at: string | null
}

export const ACCOUNT_ROLES = [
  'provider-admin',
  'provider-operator',
  'customer-admin',
  'customer-reader',
  'auditor',
] as const

export type AccountRole = (typeof ACCOUNT_ROLES)[number]

/** Signed-in browsers. Primary key `id`. */
export interface SessionTable {
  id: string
  account_id: string | null
  /** JSON, the session library's own. */
  data: string
  expires_at: string
}

/**
 * Seeds that agents were told, each made when it was first asked for. Primary key (`tenant`, `agent`, `set_id`,
 * `inventory_digest`): there is one for each, and it never changes.
 */
export interface TestSeedTable {
  tenant: string
  agent: string
  /** As the agent calls it. */
  set_id: string
  inventory_digest: string
  /** 64 hex digits. */
  seed: string
  /** The inventory that had been logged by then. */
  statement_id: number
  revealed_at: string
}

/** A restore of a file that somebody asked for. Primary key `id`, 32 hex digits. */
export interface TestRequestTable {
  id: string
  contract_id: string
  /** The set by the contract's name for it. */
  contract_set: string
  tenant: string
  /** Who is asked, and the set by the agent's own name for it. */
  agent: string
  set_id: string
  path: string
  /** Null: the newest. */
  snapshot_id: string | null
  asked_at: string
  /** The person, in words. */
  asked_by: string
  /** The statement that answers it; null while none has come. */
  statement_id: number | null
  /** `PASSED`, `FAILED`, `INCONCLUSIVE`, or `refused` by the agent. */
  outcome: string | null
  /** Why, for what is refused or inconclusive. */
  detail: string | null
  answered_at: string | null
}
