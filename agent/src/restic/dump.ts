import { isUtf8 } from 'node:buffer'
import { Readable } from 'node:stream'
import { BevisError } from '@bevis/shared/error'
import { assertEndedWell } from './failure.ts'
import { assertFullId } from './full-id.ts'
import type { Dump, DumpRequest } from './interface.ts'
import type { Program } from './program.ts'
import { lockArgs } from './short.ts'
import { spawnRestic } from './spawn.ts'

/** One file's content. Node cannot pass a name of invalid UTF-8 as an argument: USAGE, use restore for it. */
export function dump(program: Program, request: DumpRequest): Dump {
  assertFullId(request.snapshotId)
  const path = Buffer.from(request.path)
  if (!isUtf8(path))
    throw new BevisError('USAGE', `restic cannot be given the name ${path.toString('latin1')}`)
  const args = ['dump', ...lockArgs(program, request), '--', request.snapshotId, path.toString('utf8')]
  const running = spawnRestic(program, { ...request, args })
  const content = Readable.from(
    (async function* () {
      for await (const chunk of running.stdout ?? []) {
        running.rest()
        yield chunk as Buffer
        running.progress()
      }
    })(),
    { objectMode: false },
  )
  // A reader that goes away takes restic with it.
  content.once('close', () => content.readableEnded || running.stop('unwanted'))
  const done = running.ending.then((ending) => assertEndedWell(ending, `restic dump at ${program.location}`))
  done.catch(() => undefined) // whoever awaits it sees it; nobody has to
  return { content, done }
}
