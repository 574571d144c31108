import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { formatSeal } from '../../shared/src/verify/description.ts'
import { readZip } from '../../shared/src/verify/zip.ts'
import { writeZip } from '../../test/kit/zip.ts'

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/**
 * Writes a copy of a pack in which one byte of one statement is another, as a careful forger would: the zip's
 * checksums and every digest in the pack are put right, so that nothing but the signature can tell.
 */
export async function forgePack(pack: string, forged: string): Promise<void> {
  const files = await readZip(readFileSync(pack), () => true)
  const [evidence, description] = [files.get('evidence.intoto.jsonl'), files.get('pack.json')]
  if (evidence === undefined || description === undefined) throw new Error(`${pack} is no evidence pack`)
  const before = sha256(evidence)
  const changed = Buffer.from(evidence)
  // Inside the first payload's base64, where another letter of the alphabet is another statement.
  const place = changed.indexOf('"payload":"') + 400
  changed[place] = changed[place] === 0x41 ? 0x42 : 0x41
  files.set('evidence.intoto.jsonl', changed)
  const corrected = Buffer.from(description).toString().replaceAll(before, sha256(changed))
  files.set('pack.json', Buffer.from(corrected))
  files.set('pack.json.sha256', Buffer.from(formatSeal(sha256(Buffer.from(corrected)))))

  writeFileSync(forged, writeZip([...files].map(([name, content]) => ({ name, content }))))
}
