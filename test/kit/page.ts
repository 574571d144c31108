import { refreshPage } from '../../deploy/page.ts'

/** Before any test: packs carry the verifier's page, as this clone's sources make it. */
export async function setup(): Promise<void> {
  await refreshPage()
}
