import type { z } from 'zod'
import { failureOf } from './failure.ts'
import type { CheckRequest, CheckRun } from './interface.ts'
import { parseOutput } from './json.ts'
import { LineCutter } from './lines.ts'
import { checkSummary } from './messages.ts'
import type { Program } from './program.ts'
import { lockArgs } from './short.ts'
import { spawnRestic } from './spawn.ts'
import type { Running } from './spawn.ts'

const KEPT_MESSAGES = 100

/** restic's own check of its structure, and of a part of the packs byte by byte. Takes an exclusive lock. */
export async function check(program: Program, request: CheckRequest = {}): Promise<CheckRun> {
  const { subset } = request
  const startedAt = program.now()
  const running = spawnRestic(program, {
    ...request,
    watchBytes: true,
    args: [
      'check',
      ...(program.capabilities.checkJson ? ['--json'] : []),
      ...lockArgs(program, request),
      ...(subset ? [`--read-data-subset=${subset.part}/${subset.of}`] : []),
    ],
  })
  const summary = await readSummary(running).catch(() => undefined)
  const ending = await running.ending
  const messages = [...ending.items.map(({ message }) => message), ...ending.text.split('\n')]
  const said = messages.map((message) => message.trim()).filter((message) => message !== '')
  const run = {
    exitCode: ending.exitCode,
    startedAt,
    endedAt: program.now(),
    errorCount: ending.exitCode === 0 ? 0 : Math.max(1, ending.itemCount),
    messages: ending.exitCode === 0 ? [] : said.slice(0, KEPT_MESSAGES),
  }
  const error = failureOf(ending)
  if (error || !program.capabilities.checkJson) return { ...run, ...(error && { error }) }
  if (summary?.num_errors === 0) return run
  const message = `restic check ended with 0 and reports ${summary?.num_errors ?? 'no number of'} errors`
  return { ...run, errorCount: summary?.num_errors ?? 1, error: { code: 'RESTIC_OUTPUT_INVALID', message } }
}

/** Undefined when there is none that can be read. Before 0.18 there is only text. */
async function readSummary(running: Running): Promise<z.infer<typeof checkSummary> | undefined> {
  const cutter = new LineCutter()
  let summary: string | undefined
  for await (const chunk of running.stdout ?? []) {
    for (const line of cutter.push(chunk as Buffer)) if (line.startsWith('{')) summary = line
  }
  return summary === undefined ? undefined : parseOutput(checkSummary, summary, 'restic check')
}
