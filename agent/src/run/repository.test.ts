import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { testPlace } from '../../../test/kit/restic-place.ts'
import { resticVersions } from '../../../test/kit/restic-versions.ts'
import { parseConfig } from '../config.ts'
import { knownRepository, surveyRepository } from './repository.ts'

const { builds } = await resticVersions()

test('which repository it is, is asked once, and again when its config is another', async () => {
  const build = builds.at(-1)
  if (!build) throw new Error('no restic')
  const place = testPlace(build)
  const restic = await place.make()
  const { folder, source, url } = place
  const repository = `{ url: ${url}, passwordFile: ${folder}/password }`
  const sets = `sets: [{ id: shop, paths: [${source}], repository: ${repository} }]`
  const config = `collector: { url: http://127.0.0.1:1 }\nstate: ${folder}\n${sets}\n`
  const [set] = parseConfig(config, 'agent.yaml').sets
  if (!set) throw new Error('no set')
  let asked = 0
  const repositoryId = () => {
    asked += 1
    return restic.repositoryId()
  }
  const stateDir = join(folder, 'state')
  const survey = () => surveyRepository({ set, stateDir, restic: { ...restic, repositoryId } })

  const first = await survey()
  expect(first.identity).toMatchObject({ error: null, repository: { id: await restic.repositoryId() } })
  expect(await survey()).toEqual(first)
  expect(asked).toBe(1)

  // The same config behind a password that is no longer right: known, and shut.
  writeFileSync(join(folder, 'password'), 'another\n')
  expect(await survey()).toMatchObject({
    identity: { repository: first.identity.repository },
    listed: { code: 'RESTIC_PASSWORD_WRONG' },
  })
  expect(asked).toBe(1)

  rmSync(url, { recursive: true })
  expect(await survey()).toMatchObject({ listed: { code: 'RESTIC_REPOSITORY_MISSING' } })
  const id = await restic.init()
  expect(id).not.toBe(first.identity.repository.id)
  expect(await survey()).toMatchObject({ identity: { error: null, repository: { id } } })
  expect(knownRepository(stateDir, 'shop')).toBe(id)
  expect(asked).toBe(3)
})
