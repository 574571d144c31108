import { KitAgent, START, World, daysOf } from './world.ts'

/** One agent that says little and often: as many statements as are asked for, its enrolment included. */
export async function heartbeatWorld(statements: number): Promise<World> {
  const world = new World()
  const agent = new KitAgent('srv1')
  world.agents.push(agent)
  const [enrolled] = daysOf(agent, 0)
  if (enrolled !== undefined) world.receive(enrolled.envelope, enrolled.receivedAt)
  for (let n = 1; n < statements; n += 1) {
    const said = new Date(START + n * 60_000).toISOString()
    world.receive(agent.state('agent-lifecycle', { at: said, event: 'heartbeat' }), said)
    if (n % 1_000 === 0) await world.show(agent)
  }
  return world
}
