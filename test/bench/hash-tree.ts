/** Hashes every file below a folder as the agent hashes a source, and tells how many bytes that were. */
import { digestInOrder, openDigestPool, splitByBytes } from '../../agent/src/tree/digest-pool.ts'
import { bytePathOf } from '../../agent/src/tree/path.ts'
import { walkTree } from '../../agent/src/tree/walk.ts'

const [folder = '.'] = process.argv.slice(2)
const pool = openDigestPool(2)

async function* batches() {
  let batch: { path: ReturnType<typeof bytePathOf>; size: number }[] = []
  for (const { path, stat } of walkTree(bytePathOf(folder))) {
    if (stat.kind !== 'file') continue
    batch.push({ path, size: stat.size })
    if (batch.length < 256) continue
    yield batch
    batch = []
  }
  yield batch
}

let [files, bytes] = [0, 0]
const split = splitByBytes(batches(), ({ size }) => size)
for await (const results of digestInOrder(pool, split, ({ path }) => [{ path, readIf: 'always' }])) {
  for (const { digests } of results) {
    const [digest] = digests
    if (digest?.state !== 'read' || digest.sha256 === null) throw new Error('a file could not be read')
    files += 1
    bytes += digest.stat.size
  }
}
await pool.close()
process.stdout.write(`${files} files, ${bytes} bytes\n`)
