import { writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { CONTRACT, contractYaml, makeCollector } from '../../../test/kit/collector.ts'
import type { TestCollector, TestFolder } from '../../../test/kit/collector.ts'
import { contractApplyCommand, contractCheckCommand, contractShowCommand } from './contract.ts'

let place: TestFolder
let collector: TestCollector
let file: string

beforeEach(async () => {
  place = await makeCollector()
  collector = await place.start()
  file = join(place.folder, 'contract.yaml')
})

afterEach(async () => {
  await collector.stop()
  place.remove()
})

const check = (opened = true) => contractCheckCommand(file, {}, opened ? collector.opened : null)

test('check says what apply would, where there is a collector, and else that it read the file only', async () => {
  writeFileSync(file, contractYaml().replace('keep: 14', 'keep: 7'))
  const checked = await check()
  expect([checked.exit, checked.lines.join('\n')]).toEqual([
    1,
    expect.stringContaining('version 1 is in force, and its sets changed'),
  ])
  await expect(contractApplyCommand(collector.opened, file)).rejects.toThrow(/its sets changed/)
  const alone = await check(false)
  expect([alone.exit, alone.lines.join('\n')]).toEqual([
    0,
    expect.stringContaining('There is no collector here'),
  ])
  writeFileSync(file, contractYaml())
  expect((await check()).lines.join('\n')).toContain('has this text already, as revision 1')
  expect((await check(false)).json).toMatchObject({ comparedWithCollector: false })
})

test('apply quotes the line of what it warns of and of what it refuses, in the language that is asked for', async () => {
  const text = contractYaml('AFT-2').replace('- id: shop', '- id: shop\n        unit: ribe')
  writeFileSync(file, text)
  const { exit, lines } = await contractApplyCommand(collector.opened, file, { language: 'da' })
  expect(exit).toBe(0)
  const told = lines.join('\n')
  expect(told).toContain('advarsel: ')
  expect(told).toContain('enheden "ribe" er ikke blandt versionens enheder')
  expect(told).toContain('\n    unit: ribe\n')
  writeFileSync(file, text.replace('keep: 14', 'keep: none'))
  await expect(contractApplyCommand(collector.opened, file, { language: 'da' })).rejects.toThrow(
    /ikke er et helt tal[^]*\n {4}retention: /,
  )
})

test('a file that is no text in UTF-8 is refused whole, with its line', async () => {
  const latin1 = Buffer.from(contractYaml('AFT-2', '{ name: Søndergård }'), 'latin1')
  writeFileSync(file, latin1)
  const refusal = {
    code: 'CONTRACT_INVALID',
    message: expect.stringMatching(/contract\.yaml:4: the file is no text in UTF-8/),
  }
  await expect(check()).rejects.toMatchObject(refusal)
  await expect(contractApplyCommand(collector.opened, file)).rejects.toMatchObject(refusal)
})

test('what is wrong with the file as a whole has no path', async () => {
  writeFileSync(file, 'no contract at all')
  expect((await check(false)).lines[0]).toMatch(/contract\.yaml:1:1: [^ :]/)
})

test('the record names who applied a text', async () => {
  const show = async () =>
    (await contractShowCommand(collector.opened, CONTRACT, {})).json as { applied_by: string }
  writeFileSync(file, `${contractYaml()}# once more\n`)
  await contractApplyCommand(collector.opened, file)
  expect((await show()).applied_by).toBe(process.env['SUDO_USER'] ?? userInfo().username)
  writeFileSync(file, `${contractYaml()}# and again\n`)
  await contractApplyCommand(collector.opened, file, { by: 'S. Lind' })
  expect((await show()).applied_by).toBe('S. Lind')
})

test('an edited text is shown as what it is', async () => {
  await collector.store.write((tx) => tx.updateTable('contract_text').set({ yaml: 'id: other' }).execute())
  const { exit, lines } = await contractShowCommand(collector.opened, CONTRACT, {})
  expect([exit, lines[0]]).toEqual([1, expect.stringMatching(/^# NOT WHAT WAS APPLIED/)])
})
