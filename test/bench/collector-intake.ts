/**
 * How fast a collector takes evidence: whole requests over HTTP on loopback, gzip, each receipt checked by
 * nobody (that is the agent's work). `node test/bench/collector-intake.ts [statements]`
 */
import { gzipSync } from 'node:zlib'
import { makeCollector } from '../kit/collector.ts'
import type { FakeAgent } from '../kit/fake-agent.ts'

const total = Number(process.argv[2] ?? 20_000)
const say = (line: string): void => void process.stdout.write(`${line}\n`)

async function measure(
  agents: readonly FakeAgent[],
  url: string,
  size: number,
  count: number,
): Promise<void> {
  const rounds = Math.max(1, Math.floor(count / size / agents.length))
  const bodies = agents.map((agent) =>
    Array.from({ length: rounds }, () =>
      gzipSync(JSON.stringify({ from: 0, envelopes: agent.many(size) }), { level: 1 }),
    ),
  )
  const times: number[] = []
  const cpu = process.cpuUsage()
  const begun = performance.now()
  await Promise.all(
    bodies.map(async (batch) => {
      for (const body of batch) {
        const sent = performance.now()
        const response = await fetch(`${url}/v1/evidence`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
          body,
        })
        const text = await response.text()
        if (response.status !== 200 || text.includes('"refused"')) throw new Error(text.slice(0, 400))
        times.push(performance.now() - sent)
      }
    }),
  )
  const seconds = (performance.now() - begun) / 1_000
  const spent = process.cpuUsage(cpu)
  const statements = rounds * size * agents.length
  times.sort((a, b) => a - b)
  const at = (share: number) => Math.round(times[Math.floor((times.length - 1) * share)] ?? 0)
  const rate = Math.round(statements / seconds)
  const perCpu = Math.round(statements / ((spent.user + spent.system) / 1e6))
  say(
    `batch ${String(size).padStart(4)}, ${String(agents.length).padStart(2)} agents: ${rate} statements/s (${perCpu} per CPU second, client included), request p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`,
  )
}

const place = await makeCollector()
const collector = await place.start()
try {
  const agents: FakeAgent[] = []
  for (let n = 0; n < 20; n++) agents.push(await collector.enrolled(`agent-${n}`))
  await measure(agents, collector.url, 50, 2_000) // warm up
  await measure(agents.slice(0, 1), collector.url, 1, Math.min(total, 1_000))
  await measure(agents, collector.url, 1, Math.min(total, 5_000))
  await measure(agents, collector.url, 10, total)
  await measure(agents, collector.url, 100, total)
  await measure(agents.slice(0, 2), collector.url, 1_000, total)
  const { size } = await collector.log.head()
  say(`the log has ${size} leaves`)
} finally {
  await collector.stop()
  place.remove()
}
