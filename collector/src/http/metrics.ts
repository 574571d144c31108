/** The only module that knows prom-client. */
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'

export interface Metrics {
  /** What became of one envelope: `logged`, `duplicate`, or the code of its refusal. */
  countStatement(outcome: string): void
  observeRequest(route: string, status: number, seconds: number): void
  setLogSize(size: number): void
  /** As /readyz says. */
  setReady(ready: boolean): void
  text(): Promise<{ type: string; body: string }>
}

/** @param gatherProcess also memory, CPU and event loop of this process */
export function createMetrics(gatherProcess: boolean): Metrics {
  const register = new Registry()
  if (gatherProcess) collectDefaultMetrics({ register })
  const registers = [register]
  const statements = new Counter({
    name: 'bevis_statements_total',
    help: 'Envelopes received, by what became of them',
    labelNames: ['outcome'],
    registers,
  })
  const requests = new Histogram({
    name: 'bevis_http_request_seconds',
    help: 'Time of HTTP requests',
    labelNames: ['route', 'status'],
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10],
    registers,
  })
  const size = new Gauge({ name: 'bevis_log_size', help: 'Leaves in the log', registers })
  const ready = new Gauge({
    name: 'bevis_ready',
    help: '1 while evidence is taken and dated rightly, as /readyz tells',
    registers,
  })
  return {
    countStatement: (outcome) => statements.inc({ outcome }),
    observeRequest: (route, status, seconds) => requests.observe({ route, status }, seconds),
    setLogSize: (leaves) => size.set(leaves),
    setReady: (isReady) => ready.set(isReady ? 1 : 0),
    text: async () => ({ type: register.contentType, body: await register.metrics() }),
  }
}
