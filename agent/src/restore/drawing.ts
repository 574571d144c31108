/** A round's draw, with what a streamed restore waits for, and the items that it comes to. */
import { READING } from '../tree/pair-table.ts'
import type { BytePath } from '../tree/path.ts'
import { AwaitedFiles } from './awaited.ts'
import { draw } from './draw.ts'
import type { Choice, Drawn, Population } from './draw.ts'
import { hasContent } from './expected.ts'
import type { Expected } from './expected.ts'
import { Extras } from './extras.ts'
import type { ExtraItems } from './extras.ts'
import { IS_ROOT } from './metadata-account.ts'
import type { TestRequest } from './request.ts'

/** Files that were read to their end and came out well, or that nothing can be said of. */
export async function* onlyRead(items: Items, files: AwaitedFiles): AsyncGenerator<Expected[]> {
  for await (const batch of items) {
    const read = batch.filter(({ path }) =>
      ([READING.clean, READING.known] as number[]).includes(files.readingOf(path)),
    )
    if (read.length > 0) yield read
  }
}

type Items = AsyncIterable<readonly Expected[]> | readonly (readonly Expected[])[]

export interface Awaited {
  /** What a streamed restore waits for; null where it cannot be. */
  readonly files: AwaitedFiles | null
  /** The items of this round, where they are few; null: they have to be picked once more. */
  readonly kept: Items | null
  /** Of the first round: what is restored for its metadata. */
  readonly extras: ExtraItems | null
}

/** A sample of so many items is not read from the manifest again. */
const MAX_KEPT = 10_000

export async function awaitedOf(
  request: TestRequest,
  choice: Choice,
  isFirst: boolean,
): Promise<{ population: Population; drawn: Drawn } & Awaited> {
  const { restic, method = 'auto' } = request
  const files = method !== 'disk' && restic.capabilities.restoreEvents ? new AwaitedFiles() : null
  const { coverage } = request
  const [isReplacement, isAsked] = choice.mode === 'sample' ? [choice.after !== '', choice.strata] : [false]
  if (!isReplacement) coverage?.restart()
  const extras = isFirst ? new Extras(request.seed.value, IS_ROOT) : null
  const drawing = await draw(
    request.expected(),
    choice,
    files ? (item) => files.add(item) : undefined,
    (item) => {
      extras?.offer(item)
      // Strata ask of every file themselves.
      if (coverage && !isReplacement && !isAsked && hasContent(item)) coverage.standingOf(item)
    },
  )
  let kept: (readonly Expected[])[] | null = choice.mode === 'full' ? null : []
  if (files && kept) {
    let count = 0
    for await (const batch of pick(request, drawing.drawn, isFirst)) {
      for (const item of batch) files.add(item)
      count += batch.length
      if (count > MAX_KEPT) kept = null
      kept?.push(batch)
    }
  }
  files?.close()
  // Who asks for a file gets that file: nothing else is restored for it.
  const taken = extras && (choice.mode === 'requested' ? { nodes: [], links: [] } : extras.take())
  return { ...drawing, files, kept: files && kept, extras: taken }
}

/** The items of a round; with the first one also what is known not to be in the snapshot. */
export async function* pick(
  { expected }: TestRequest,
  drawn: Drawn,
  isFirst: boolean,
  /** Where all were drawn: the others have been told of. */
  isLeft?: (path: BytePath) => boolean,
): AsyncGenerator<Expected[]> {
  const items = drawn.includes === null ? expected(isLeft) : expected((path) => drawn.isDrawn({ path }))
  for await (const batch of items) {
    const picked = batch.filter((item) =>
      item.isListed
        ? drawn.isDrawn(item)
        : isFirst && (item.witness.state === 'gap' || drawn.includes === null),
    )
    if (picked.length > 0) yield picked
  }
}
