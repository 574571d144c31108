import { expect, test } from 'vitest'
import { describe as describePack, descriptionOf, packOf } from '../../../test/kit/pack.ts'
import { smallWorld } from '../../../test/kit/world.ts'
import { signerOf } from '../../../test/kit/register.ts'
import { signCheckpoint } from '../log/checkpoint.ts'
import { formatCosignerKey, signCosignature } from '../log/cosignature.ts'
import { formatConsistency } from '../log/consistency.ts'
import { checkpointFile, consistencyFile, cosignedFile } from './pack.ts'
import { mergeTrust, parseTrust } from './trust.ts'
import { verifyPack } from './verify-pack.ts'

const world = await smallWorld(1)
const honest = await packOf(world)
const { size: whole } = descriptionOf(honest).log
const earlier = whole - 4
const OTHER_LOG = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW'
const AT = new Date('2025-01-05T12:00:00Z')
const witnesses = ['one.example', 'two.example'].map((name) => ({ name, signer: signerOf(name) }))

const policy = (quorum: string, log = world.vkey) =>
  [
    `log ${log}`,
    ...witnesses.map(({ name, signer }) => `witness ${name} ${formatCosignerKey(name, signer.spki)}`),
    'group both all one.example two.example',
    'group either any both',
    `quorum ${quorum}`,
  ].join('\n')

const trustBy = (text: string) => parseTrust(`${world.trust()}policy: |\n${text.replaceAll(/^/gm, '  ')}\n`)

/** The pack with a head that some have cosigned. */
async function cosigned(
  by: typeof witnesses,
  { size = earlier, spoil = (note: string) => note } = {},
): Promise<ReadonlyMap<string, Uint8Array>> {
  const { note } = await world.log.checkpoint(size)
  const lines = by.map((witness) => signCosignature(note, witness, AT))
  const files = new Map(honest)
  const put = (name: string, text: string) => files.set(name, new TextEncoder().encode(text))
  put(cosignedFile(size), spoil(note + lines.join('')))
  if (size < whole) {
    const checkpoint = new TextDecoder().decode(honest.get(checkpointFile(whole)))
    const hashes = await world.log.consistency(size, whole)
    put(consistencyFile(size, whole), formatConsistency({ from: size, hashes, checkpoint }))
  }
  return describePack(files, descriptionOf(honest))
}

function check(files: ReadonlyMap<string, Uint8Array>, trust: ReturnType<typeof parseTrust> | null) {
  const report = verifyPack({ files, trust })
  const found = report.checks.find(({ id }) => id === 'log.cosignatures')
  return { ...found, exit: report.exit, notProven: report.notProven.join('\n') }
}

test('a quorum that has seen a head holds, and what came after it is said to be unseen', async () => {
  const files = await cosigned(witnesses)
  const found = check(files, trustBy(policy('both')))
  expect(found).toMatchObject({ exit: 0, outcome: 'held' })
  expect(found.detail).toBe(`${earlier} of ${whole} leaves seen by one.example, two.example`)
  expect(found.notProven).toContain(`beyond leaf ${earlier - 1}`)
  const now = check(await cosigned(witnesses, { size: whole }), trustBy(policy('both')))
  expect(now.notProven).toMatch(/independent of each other/)
  expect(now).toMatchObject({ exit: 0 })
})

test('without a policy in the trust file nothing is claimed', async () => {
  const found = check(await cosigned(witnesses), parseTrust(world.trust()))
  expect(found).toMatchObject({ exit: 0, detail: '1 head; your trust file asks for no cosigners' })
  expect(found.notProven).toMatch(/shows everybody the same log\. .*no cosigners/)
})

test('a policy that asks for nobody is content with nobody', () => {
  const found = check(honest, trustBy(policy('none')))
  expect(found).toMatchObject({ exit: 0, outcome: 'held', detail: 'your policy asks for no cosigners' })
  expect(found.notProven).toMatch(/asks for no cosigners/)
  expect(check(honest, trustBy(policy('none', OTHER_LOG)))).toMatchObject({ exit: 1 })
})

test.each<[string, Parameters<typeof cosigned>, string]>([
  ['one of two is too few', [witnesses.slice(0, 1)], policy('both')],
  ['nobody at all', [[]], policy('both')],
  ['a policy of another log', [witnesses], policy('both', OTHER_LOG)],
  [
    'a cosignature that does not hold',
    [witnesses, { spoil: (note) => note.replace(/(one\.example \S{40})./, (_, head: string) => `${head}A`) }],
    policy('either'),
  ],
])('%s is refused', async (_, pack, text) => {
  expect(check(await cosigned(...pack), trustBy(text))).toMatchObject({ exit: 1, outcome: 'failed' })
})

test('a cosigned head of another history is a fork, whoever signed it', async () => {
  const { origin } = world.log
  const other = signCheckpoint({ origin, size: earlier, root: new Uint8Array(32).fill(9) }, signerOf('log'))
  const note = other.note + witnesses.map((witness) => signCosignature(other.note, witness, AT)).join('')
  const files = await cosigned(witnesses, { spoil: () => note })
  for (const trust of [trustBy(policy('both')), parseTrust(world.trust()), null])
    expect(check(files, trust)).toMatchObject({ exit: 1, outcome: 'failed' })
})

test('two trust files with different policies are not guessed at', () => {
  const [one, two] = [trustBy(policy('both')), trustBy(policy('either'))]
  expect(mergeTrust(one, one).policy?.quorum).toBe('both')
  expect(() => mergeTrust(one, two)).toThrow(/different policies/)
})
