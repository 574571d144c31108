/** Side by side in one run, as ratios: what Bevis costs beside its peers and limits. */
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { benchBackup } from './backup.ts'
import { benchContract } from './contract.ts'
import { benchDemo } from './demo.ts'
import { benchIdle } from './idle.ts'
import { benchRestore } from './restore.ts'
import { benchVerify } from './verify.ts'

const USAGE = `npm run bench            everything, with the defaults
npm run bench -- NAME    one of: demo, backup, restore, idle, contract, verify
Options of backup and restore: --sets a,b,c,d (a small files, b large ones, c a mixed tree, d borgmatic, of restore),
  --pairs N (5), --files N (of set a, 100000), --large N (files of 200 MB in set b, 30), --tree PATH (set c, /usr/share).
Options of restore: --places local,rest,hash, --only verify,full,sample,disk,sums,check,limit. All of it takes an hour and a half.
  --folder PATH: works there, and keeps the sets, so that they are made once for any number of calls.
Options of others: --seconds N (idle, 60),
  --statements N (verify, 100000),
  --scales 1,10,100 and --keep-all (contract: all snapshots stay in the repository; try --scales 1,10)`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    help: { type: 'boolean', short: 'h', default: false },
    files: { type: 'string', default: '100000' },
    large: { type: 'string', default: '30' },
    tree: { type: 'string', default: '/usr/share' },
    sets: { type: 'string', default: 'a,b,c,d' },
    places: { type: 'string', default: 'local,rest,hash' },
    folder: { type: 'string' },
    only: { type: 'string', default: '' },
    pairs: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '60' },
    statements: { type: 'string', default: '100000' },
    scales: { type: 'string', default: '1,10,100' },
    'keep-all': { type: 'boolean', default: false },
  },
})
const folder = resolve(values.folder ?? join(import.meta.dirname, '../../.bench'))
const sizes = { files: Number(values.files), large: Number(values.large), tree: values.tree }
const sets = values.sets.split(',')
const benches: Record<string, () => Promise<void> | void> = {
  demo: benchDemo,
  backup: () => benchBackup(join(folder, 'backup'), { ...sizes, sets, pairs: Number(values.pairs) }),
  restore: () =>
    benchRestore(folder, {
      ...sizes,
      sets,
      places: values.places.split(','),
      only: values.only.split(',').filter((key) => key !== ''),
      pairs: Number(values.pairs),
      keep: values.folder !== undefined,
    }),
  idle: () => benchIdle(join(folder, 'idle'), { seconds: Number(values.seconds) }),
  verify: () => benchVerify(folder, { statements: Number(values.statements) }),
  contract: () =>
    benchContract({ scales: values.scales.split(',').map(Number), keepAll: values['keep-all'] }),
}
const all = positionals.length > 0 ? positionals : Object.keys(benches)
const wanted = values.help ? [] : all
if (values.help) process.stdout.write(`${USAGE}\n`)
for (const name of wanted) {
  const bench = benches[name]
  if (bench === undefined) throw new Error(`there is no bench ${name}: ${Object.keys(benches).join(', ')}`)
  await bench()
}
