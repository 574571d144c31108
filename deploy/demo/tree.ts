import { createCipheriv } from 'node:crypto'
import {
  linkSync,
  lutimesSync,
  mkdirSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'

const zeros = (length: number) => Buffer.alloc(length)

/** Bytes that look random and are the same on every machine: a key stream, one per name. */
function bytesOf(name: string, length: number): Buffer {
  const key = Buffer.alloc(32, name)
  return createCipheriv('aes-256-ctr', key, zeros(16)).update(zeros(length))
}

const pick = <T>(name: string, choices: readonly T[]): T =>
  choices[(bytesOf(name, 1)[0] ?? 0) % choices.length] as T
const sizeOf = (name: string, least: number, most: number) =>
  least + (bytesOf(`${name} size`, 4).readUInt32BE() % (most - least))

const glazes = ['havgrå', 'celadon', 'kobolt', 'æggeskal', 'jernrød']
const wares = ['krus', 'skål', 'vase', 'tallerken', 'kande']

/**
 * Makes a small web shop's files below `folder`, the same each time: pages, pictures, dumps and journals, and what
 * a backup has to survive besides them: odd names, links, holes and nothing at all.
 * @returns how many files and links it made
 */
export function makeTree(folder: string): number {
  let files = 0
  /** Names are bytes; a file's time lies some months back, as it would on a machine in use. */
  const put = (name: string | Buffer, content: Uint8Array | string, holeBytes = 0): void => {
    const path = Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(name)])
    mkdirSync(join(folder, dirname(name.toString())), { recursive: true })
    writeFileSync(path, content)
    if (holeBytes > 0) truncateSync(path, holeBytes)
    files += 1
    const time = Date.UTC(2026, 3, 1, 8) / 1000 + files * 7919
    utimesSync(path, time, time)
  }

  for (let number = 1; number <= 120; number++) {
    const name = `${pick(`ware ${number}`, wares)}-${pick(`glaze ${number}`, glazes)}-${number}`
    put(`media/products/${name}.jpg`, bytesOf(name, sizeOf(name, 20_000, 180_000)))
    put(`site/products/${name}.html`, page(name, number))
  }
  for (let day = 1; day <= 30; day++) {
    const date = `2026-10-${String(day).padStart(2, '0')}`
    put(`dump/orders-${date}.sql`, orders(date))
    put(`logs/access-${date}.log`, journal(date))
  }
  for (const name of ['index.html', 'om-os.html', 'handelsbetingelser.html', 'æøå.html'])
    put(`site/${name}`, page(name, 0))
  put('site/style.css', 'body { font: 1rem/1.5 Georgia, serif; max-width: 60ch; margin: auto }\n'.repeat(40))
  put('etc/shop.conf', '[shop]\nname = Havfruen Keramik\ncurrency = DKK\n')

  put('odd/name with  two spaces.txt', 'spaces\n')
  put('odd/ leading and trailing ', 'spaces\n')
  put('odd/two\nlines.txt', 'a line break in its name\n')
  put('odd/tab\tand "quotes" and \\backslash\\.txt', 'signs\n')
  put('odd/-rf', 'looks like an option\n')
  put('odd/[brackets]*?.txt', 'looks like a pattern\n')
  put('odd/blåbærgrød 🫐.txt', 'beyond the basic plane\n')
  put(
    Buffer.concat([Buffer.from('odd/latin1-'), Buffer.from([0xe6, 0xf8, 0xe5]), Buffer.from('.txt')]),
    'no UTF-8\n',
  )
  put(`odd/${'long-'.repeat(48)}name.txt`, 'a name of 250 bytes\n')
  put('odd/deep/er/and/deep/er/still/file.txt', 'deep\n')

  put('special/empty', '')
  mkdirSync(join(folder, 'special/empty-folder'), { recursive: true })
  put('special/zeros.bin', zeros(300_000))
  put('special/archive-5mb.bin', bytesOf('archive', 5_000_000))
  put('special/sparse-20mb.img', '', 20 * 1024 * 1024)
  put('special/original.txt', 'one file, two names\n')
  linkSync(join(folder, 'special/original.txt'), join(folder, 'special/second-name.txt'))
  files += 1
  for (const [name, target] of [
    ['to-a-file', 'original.txt'],
    ['to-a-folder', '../media'],
    ['to-nothing', 'gone/for/good'],
  ] as const) {
    symlinkSync(target, join(folder, 'special', name))
    files += 1
    lutimesSync(join(folder, 'special', name), 1_775_000_000, 1_775_000_000)
  }
  return files
}

function page(name: string, number: number): string {
  const price = sizeOf(`price ${name}`, 95, 900)
  return [
    '<!doctype html>',
    `<html lang="da"><title>${name}</title><link rel="stylesheet" href="/style.css">`,
    `<h1>${name}</h1><img src="/media/products/${name}.jpg" alt="">`,
    `<p>Nr. ${number}, drejet i hånden, ${price} kr.</p>`.repeat(1 + (number % 9)),
    '</html>',
    '',
  ].join('\n')
}

function orders(date: string): string {
  const rows = sizeOf(`orders ${date}`, 20, 400)
  const row = (number: number) =>
    `INSERT INTO orders VALUES (${number}, '${date}', '${pick(`${date} ${number}`, wares)}', ${sizeOf(`${date} ${number}`, 95, 900)});`
  return [`-- orders of ${date}`, ...Array.from({ length: rows }, (_, index) => row(index + 1)), ''].join(
    '\n',
  )
}

function journal(date: string): string {
  const lines = sizeOf(`journal ${date}`, 200, 2000)
  const line = (number: number) =>
    `192.0.2.${number % 254} [${date}] "GET /products/${pick(`${date} get ${number % 97}`, wares)}.html" 200 ${number * 37}`
  return [...Array.from({ length: lines }, (_, index) => line(index + 1)), ''].join('\n')
}
