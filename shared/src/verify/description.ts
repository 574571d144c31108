import { sha256Hex } from '../crypto.ts'
import { BevisError } from '../error.ts'
import { PACK_FILES, decodeJson, decodeText, packSchema } from './pack.ts'
import type { Pack } from './pack.ts'
import { counted } from './report.ts'
import type { Findings } from './report.ts'
import type { PackContent } from './zip.ts'

export type { PackContent } from './zip.ts'

/** The bytes of a file that must be there. @throws BevisError PACK_INVALID */
export function fileOf(files: PackContent, name: string): Uint8Array {
  const bytes = files.get(name)
  if (bytes === undefined) throw new BevisError('PACK_INVALID', `${name} is missing`)
  return bytes
}

/** The text of a file that must be there. @throws BevisError PACK_INVALID */
export function textOf(files: PackContent, name: string): string {
  return decodeText(fileOf(files, name), name)
}

/** `sha256sum`'s own line for the description. */
export function formatSeal(description: string): string {
  return `${sha256Hex(description)}  ${PACK_FILES.description}\n`
}

/** Checks `pack.description` and `files.accounted`; null when nothing else can be checked. */
export function readDescription(files: PackContent, findings: Findings): Pack | null {
  const pack = findings.attempt('pack.description', '', () => {
    const text = textOf(files, PACK_FILES.description)
    if (textOf(files, PACK_FILES.seal) !== formatSeal(text)) {
      throw new BevisError('PACK_INVALID', `${PACK_FILES.description} is not what ${PACK_FILES.seal} says`)
    }
    const read = decodeJson(text, packSchema, PACK_FILES.description)
    if (read.period.from >= read.period.to)
      throw new BevisError('PACK_INVALID', 'the period ends before it begins')
    return read
  })
  if (pack === undefined) return null
  findings.hold('pack.description', `contract ${pack.contract.id}, made ${pack.madeAt}`)
  accountFiles(files, pack, findings)
  return pack
}

function accountFiles(files: PackContent, pack: Pack, findings: Findings): void {
  const listed = new Set<string>([PACK_FILES.description, PACK_FILES.seal])
  let bytesTotal = 0
  for (const { path, sizeBytes, sha256 } of pack.files) {
    const content = findings.attempt('zip.structure', '', () => files.get(path))
    if (listed.has(path)) findings.fail('files.accounted', `${path}: listed twice`)
    else if (content === undefined) findings.fail('files.accounted', `${path}: missing`)
    else if (content.length !== sizeBytes) findings.fail('files.accounted', `${path}: not of the size listed`)
    else if (sha256Hex(content) !== sha256)
      findings.fail('files.accounted', `${path}: not of the SHA-256 listed`)
    listed.add(path)
    bytesTotal += content?.length ?? 0
  }
  for (const name of files.keys()) {
    if (!listed.has(name))
      findings.fail('files.accounted', `${name}: not listed in ${PACK_FILES.description}`)
  }
  findings.hold('files.accounted', `${counted(pack.files.length, 'file')}, ${counted(bytesTotal, 'byte')}`)
}
