import { decodeBase64, encodeBase64 } from '@bevis/shared/base64'
import { BevisError } from '@bevis/shared/error'
import { openCheckpoint } from '@bevis/shared/log/checkpoint'
import type { VerificationKey } from '@bevis/shared/log/checkpoint'
import { forkOf, verifyFork } from '@bevis/shared/log/fork'
import type { Fork } from '@bevis/shared/log/fork'
import { consistencyProof, rootOf } from '@bevis/shared/log/merkle'
import { tileReader } from '@bevis/shared/log/tile'
import type { Transport } from './transport.ts'

/** Two heads that do not fit, as far as they are signed by the log; null when one of them is not. */
export function pairOf(
  first: string | undefined,
  second: string,
  vkey: VerificationKey,
  hashes: readonly string[],
): Fork | null {
  if (first === undefined) return null
  try {
    return forkOf(first, second, vkey, hashes.map(decodeBase64))
  } catch {
    return null
  }
}

/**
 * Lets the log say itself how its newer tree begins: read by tiles, the tree shows its root at the older size.
 * @returns the pair as a proof, or as it was when the log says nothing that proves it
 */
export async function completeFork(fork: Fork, vkey: VerificationKey, transport: Transport): Promise<Fork> {
  const [first, second] = [openCheckpoint(fork.first, vkey), openCheckpoint(fork.second, vkey)]
  if (verifyFork(fork, vkey).isProven || first.size === 0 || first.size >= second.size) return fork
  const read = tileReader(second.size, async (path) => {
    const { status, bytes } = await transport.get(`/log/${path}`)
    if (status !== 200) throw new BevisError('COLLECTOR_UNREACHABLE', `/log/${path} answers ${status}`)
    return bytes
  })
  try {
    const root = await rootOf(first.size, read)
    const hashes = await consistencyProof(first.size, second.size, read)
    const past = { root: encodeBase64(root), hashes: hashes.map(encodeBase64) }
    const proven = { ...fork, past }
    return verifyFork(proven, vkey).isProven ? proven : fork
  } catch (error) {
    if (error instanceof BevisError || error instanceof RangeError) return fork
    throw error
  }
}
