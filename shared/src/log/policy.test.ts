import { describe, expect, test } from 'vitest'
import { generateSigningKey, signerFromPem } from '../crypto.ts'
import { EMPTY_ROOT } from './merkle.ts'
import { formatVkey, openCheckpoint, parseVkey, signCheckpoint } from './checkpoint.ts'
import { formatCosignerKey, parseCosignerKey, signCosignature, verifyCosignature } from './cosignature.ts'
import { parsePolicy, policySatisfied } from './policy.ts'

const newSigner = () => signerFromPem(generateSigningKey().privatePem)
const log = newSigner()
const at = new Date('2026-11-23T04:05:06Z')
const { note } = signCheckpoint({ origin: 'log.example', size: 0, root: EMPTY_ROOT }, log)
const cosigners = ['x1', 'x2', 'x3', 'y1'].map((name) => ({ name, signer: newSigner() }))
const vkeyOf = ({ name, signer }: (typeof cosigners)[number]) => formatCosignerKey(name, signer.spki)
const lines = cosigners.map((cosigner) => signCosignature(note, cosigner, at))
const witnessLines = cosigners.map((cosigner) => `witness ${cosigner.name} ${vkeyOf(cosigner)}`)

const text = [
  '# two of three, and the neighbour',
  `log ${formatVkey('log.example', log.spki)} https://log.example/log`,
  '',
  ...witnessLines.map((line) => ` \t${line}`),
  'group X 2 x1 x2 x3',
  'group both all X y1',
  'quorum both',
  '',
].join('\n')

describe('a cosignature', () => {
  test('is over this head, by this key, at this time', () => {
    const cosigned = note + (lines[0] ?? '')
    const key = parseCosignerKey(vkeyOf(cosigners[0] ?? expect.fail('cosigner')))
    expect(verifyCosignature(cosigned, key)).toEqual({ at })
    expect(verifyCosignature(note, key)).toBeNull()
    expect(openCheckpoint(cosigned, parseVkey(formatVkey('log.example', log.spki))).size).toBe(0)
    const other = signCheckpoint({ origin: 'log.example', size: 1, root: new Uint8Array(32) }, log)
    expect(() => verifyCosignature(other.note + (lines[0] ?? ''), key)).toThrow('does not hold')
    expect(() => verifyCosignature(cosigned + (lines[0] ?? ''), key)).toThrow('does not hold')
  })

  test('is not what the same key signs as a log', () => {
    const signer = newSigner()
    const asLog = signCheckpoint({ origin: 'log.example', size: 0, root: EMPTY_ROOT }, signer).note
    expect(
      verifyCosignature(asLog, parseCosignerKey(formatCosignerKey('log.example', signer.spki))),
    ).toBeNull()
    expect(() => parseCosignerKey(formatVkey('log.example', signer.spki))).toThrow('type 4')
  })
})

describe('a policy', () => {
  test('counts members of groups, and groups of groups', () => {
    const policy = parsePolicy(text)
    expect(policy.logs[0]?.url).toBe('https://log.example/log')
    const satisfiedBy = (...which: number[]) =>
      policySatisfied(policy, note + which.map((n) => lines[n]).join('')).isSatisfied
    expect(satisfiedBy(0, 1, 3)).toBe(true)
    expect(satisfiedBy(1, 2, 3)).toBe(true)
    expect(satisfiedBy(0, 1, 2)).toBe(false)
    expect(satisfiedBy(0, 3)).toBe(false)
    expect(satisfiedBy()).toBe(false)
    expect(policySatisfied(policy, note + (lines[3] ?? '')).missing).toEqual(['x1', 'x2', 'x3'])
  })

  test('is not satisfied by a cosignature that does not hold, whatever the others say', () => {
    const broken = (lines[2] ?? '').replace(/.{6}\n$/, 'AAAA==\n')
    const { isSatisfied, invalid } = policySatisfied(
      parsePolicy(text),
      note + lines[0] + lines[1] + lines[3] + broken,
    )
    expect({ isSatisfied, invalid }).toEqual({ isSatisfied: false, invalid: ['x3'] })
  })

  test('may ask for nobody', () => {
    expect(policySatisfied(parsePolicy('quorum none\n'), note).isSatisfied).toBe(true)
  })

  const [w1 = '', w2 = ''] = witnessLines
  const key1 = w1.split(' ')[2] ?? ''
  test.each([
    ['', 'no end'],
    ['\n', 'no quorum'],
    ['quorum none', 'no end'],
    ['quorum none\nquorum none\n', ':2: a second'],
    ['quorum x1\n', 'not defined'],
    [`quorum x1\n${w1}\n`, ':1: x1 is not defined'],
    [`${w1}\n${w1}\nquorum x1\n`, ':2: x1 is defined already'],
    [`${w1}\nwitness other ${key1}\nquorum x1\n`, ':2: a key that stands there already'],
    [`witness none ${key1}\nquorum none\n`, 'none is defined already'],
    [`${w1}\n${w2}\ngroup g 3 x1 x2\nquorum g\n`, ':3: from 1 to 2'],
    [`${w1}\ngroup g 0 x1\nquorum g\n`, 'from 1 to 1'],
    [`${w1}\ngroup g any x1\ngroup h any x1\nquorum h\n`, 'x1 is a member already'],
    [`${w1}\ngroup g any none\nquorum g\n`, 'none is not defined'],
    [`group g any g\nquorum g\n`, 'g is not defined'],
    [`${w1}\ngroup g any\nquorum x1\n`, 'not a line'],
    [`witness x1 ${formatVkey('x1', log.spki)}\nquorum x1\n`, 'type 4'],
    [`log ${key1}\nquorum none\n`, 'type 1'],
    ['quorum\u00a0none\n', 'not a line'],
    ['quorum none\r\n', 'control'],
  ])('%j is refused: %s', (policy, why) => {
    expect(() => parsePolicy(policy)).toThrow(why)
  })
})
