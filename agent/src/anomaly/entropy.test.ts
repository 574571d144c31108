import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, onTestFinished, test } from 'vitest'
import { bytePathOf } from '../tree/path.ts'
import { bitsPerByte, lookEncrypted } from './entropy.ts'

test('random bytes are told from text, from programs and from what is only compressed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bevis-entropy-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const text = Buffer.from(Array.from({ length: 9_000 }, (_, n) => `order ${n} of ${n % 7}\n`).join(''))
  const files: Record<string, Buffer> = {
    encrypted: randomBytes(70_000),
    'small-encrypted': randomBytes(4_096),
    'too-small': randomBytes(4_095),
    'text.csv': text,
    'text.csv.gz': gzipSync(text),
    'picture.jpg': Buffer.concat([Buffer.from('ffd8ffe0', 'hex'), randomBytes(70_000)]),
    'clip.mp4': Buffer.concat([Buffer.from('0000001866747970', 'hex'), randomBytes(70_000)]),
  }
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes)
  const sample = [...Object.keys(files), 'gone'].map((name) => bytePathOf(join(folder, name)))
  expect(lookEncrypted([...sample, bytePathOf(folder)])).toEqual({
    looked: 6,
    count: 2,
    paths: [join(folder, 'encrypted'), join(folder, 'small-encrypted')],
  })
  expect(bitsPerByte(new Uint8Array(10))).toBe(0)
  expect(bitsPerByte(Uint8Array.from({ length: 256 }, (_, n) => n))).toBe(8)
})

test('a FIFO that was put in a file’s place keeps nobody waiting', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bevis-entropy-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const pipe = join(folder, 'pipe')
  execFileSync('mkfifo', [pipe])
  const script = `import { lookEncrypted } from './entropy.ts'; console.log(lookEncrypted([${JSON.stringify(pipe)}]).looked)`
  const args = ['--input-type=module-typescript', '-e', script]
  const said = execFileSync(process.execPath, args, {
    cwd: import.meta.dirname,
    timeout: 20_000,
    encoding: 'utf8',
  })
  expect(said).toBe('0\n')
})
