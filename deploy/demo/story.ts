import { styleText } from 'node:util'

type Style = 'bold' | 'dim' | 'green' | 'red'
const paint = (style: Style, text: string) => styleText(style, text, { stream: process.stdout })
const write = (text: string) => process.stdout.write(text)

/** A step could not be done, and the demo cannot go on. */
export class StoryEnd extends Error {
  override toString(): string {
    return this.message
  }
}

/**
 * Tells the demo as it happens, and keeps account of what it promised to show. Only what was promised and seen
 * makes it end well.
 */
export class Story {
  readonly #promises = new Map<string, boolean | null>()
  readonly #started = performance.now()
  #steps = 0

  /** Everything that this run has to show; what is never seen counts as not seen. */
  constructor(promises: readonly string[]) {
    for (const promise of promises) this.#promises.set(promise, null)
  }

  /** One step: its title at once, its time when it is done. */
  async step<T>(title: string, work: () => Promise<T> | T): Promise<T> {
    this.#steps += 1
    write(`\n${paint('bold', `${String(this.#steps).padStart(2)}  ${title}`)}\n`)
    const started = performance.now()
    try {
      return await work()
    } finally {
      write(paint('dim', `    ${((performance.now() - started) / 1000).toFixed(1)} s\n`))
    }
  }

  /** A line under the step. */
  tell(...lines: readonly string[]): void {
    for (const line of lines) write(`    ${line}\n`)
  }

  /** What people can do now. */
  invite(...rows: readonly (readonly [string, string])[]): void {
    write('\n')
    for (const [name, what] of rows) write(`${paint('bold', name.padEnd(10))}${what}\n`)
  }

  /** Something promised was looked at: told, and kept as seen only if it was so each time. */
  see(promise: string, isSo: boolean, detail = ''): void {
    const before = this.#promises.get(promise)
    if (before === undefined) throw new Error(`never promised: ${promise}`)
    this.#promises.set(promise, isSo && before !== false)
    const mark = isSo ? paint('green', '✓') : paint('red', '✗')
    this.tell(`${mark} ${promise}${detail === '' ? '' : `: ${detail}`}`)
  }

  /** Something that cannot be shown on this machine: told, and promised no longer. */
  forgo(promise: string, why: string): void {
    this.#promises.delete(promise)
    this.tell(`– ${promise}: not shown, ${why}`)
  }

  /** What was promised and not seen. */
  get missing(): readonly string[] {
    return [...this.#promises].flatMap(([promise, seen]) => (seen === true ? [] : [promise]))
  }

  end(): void {
    const seconds = ((performance.now() - this.#started) / 1000).toFixed(1)
    const { missing } = this
    if (missing.length === 0) {
      write(
        `\n${paint('green', `All ${this.#promises.size} promises were seen to hold`)}, in ${seconds} s.\n`,
      )
      return
    }
    write(`\n${paint('red', `Not seen, after ${seconds} s:`)}\n`)
    for (const promise of missing) write(`  ✗ ${promise}\n`)
  }
}
