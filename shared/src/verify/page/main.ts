/** The page: two files in, the verifier's report out. What it shows is computed by its worker. */
import type { Report } from '../report.ts'
import { da } from './da.ts'
import { h, sign } from './element.ts'
import { en } from './en.ts'
import type { Words } from './en.ts'
import { showEvidence } from './evidence.ts'
import type { Answer, Question, Row } from './message.ts'
import { showReport } from './result.ts'
import { WORKER_TEXT } from './worker-text.ts'

let words: Words = navigator.language.startsWith('da') ? da : en
/** What is shown under the two fields. */
let shown:
  | { readonly kind: 'nothing' }
  | { readonly kind: 'progress'; readonly step: 'reading' | 'signatures' | 'judging'; readonly part: number }
  | { readonly kind: 'failed'; readonly why: string }
  | { readonly kind: 'report'; readonly report: Report; readonly rows: readonly Row[] } = { kind: 'nothing' }

const workerUrl = URL.createObjectURL(new Blob([WORKER_TEXT], { type: 'text/javascript' }))
let worker: Worker | null = null
const opened = new Map<number, HTMLElement>()

function ask(question: Question): void {
  worker?.postMessage(question)
}

/** They stay the same elements whatever is rendered around them, and keep the files that were chosen. */
const packInput = fileInput('pack', '.zip')
const trustInput = fileInput('trust', '.yaml,.yml')
trustInput.multiple = true

function fileInput(id: string, accept: string): HTMLInputElement {
  const input = h('input', { id, type: 'file', accept, 'aria-describedby': `${id}-hint` })
  input.addEventListener('change', () => void verify())
  return input
}

async function verify(): Promise<void> {
  const [pack] = packInput.files ?? []
  if (pack === undefined) return
  // A verification that is under way is of no use any more, and a worker that is busy hears nothing.
  worker?.terminate()
  worker = new Worker(workerUrl)
  worker.addEventListener('message', ({ data }: MessageEvent<Answer>) => hear(data))
  worker.addEventListener('error', ({ message }) => hear({ kind: 'failed', why: message }))
  show({ kind: 'progress', step: 'reading', part: 0 })
  const texts = await Promise.all(
    Array.from(trustInput.files ?? [], async (file) => ({ name: file.name, text: await file.text() })),
  )
  ask({ kind: 'verify', pack, trust: texts })
}

function hear(answer: Answer): void {
  if (answer.kind === 'statement') {
    const text = `SHA-256 ${answer.digest}\n\n${JSON.stringify(answer.statement, null, 2)}`
    opened.get(answer.row)?.replaceChildren(text)
  } else show(answer)
}

function show(next: typeof shown): void {
  // Signatures come by the thousand: only the bar moves.
  const bar = document.querySelector('progress')
  if (next.kind === 'progress' && shown.kind === 'progress' && next.step === shown.step && bar !== null) {
    bar.value = next.part
  } else {
    shown = next
    render()
  }
}

function take(files: readonly File[]): void {
  const isPack = (file: File) => /\.zip$/i.test(file.name)
  put(packInput, files.filter(isPack).slice(-1))
  put(
    trustInput,
    files.filter((file) => !isPack(file)),
  )
  void verify()
}

function put(input: HTMLInputElement, files: readonly File[]): void {
  if (files.length === 0) return
  const list = new DataTransfer()
  for (const file of files) list.items.add(file)
  input.files = list.files
}

function field(input: HTMLInputElement, label: string, hint: string): HTMLElement {
  return h(
    'div',
    { class: 'field panel' },
    h('label', { for: input.id }, label),
    h('p', { class: 'small muted', id: `${input.id}-hint` }, hint),
    input,
  )
}

function languages(): HTMLElement {
  const button = (name: string, other: Words) => {
    const element = h(
      'button',
      { type: 'button', class: 'plain', lang: other.language, 'aria-pressed': String(words === other) },
      name,
    )
    element.addEventListener('click', () => {
      words = other
      render()
    })
    return element
  }
  return h('div', { class: 'who' }, button('Dansk', da), button('English', en))
}

function answerOf(): Node[] {
  switch (shown.kind) {
    case 'nothing':
      return []
    case 'progress':
      return [
        h('p', { role: 'status' }, words[shown.step]),
        h('progress', { max: '1', ...(shown.step === 'signatures' && { value: String(shown.part) }) }),
      ]
    case 'failed':
      return [
        h(
          'div',
          { class: 'notice risk', role: 'status' },
          sign('triangle'),
          h('div', {}, h('p', {}, words.cannot), h('p', { lang: 'en' }, shown.why)),
        ),
      ]
    case 'report': {
      opened.clear()
      const { report, rows } = shown
      const open = (row: number, into: HTMLElement) => {
        opened.set(row, into)
        ask({ kind: 'statement', row })
      }
      return [...showReport(report, words), showEvidence(rows, words, open)]
    }
  }
}

function render(): void {
  document.documentElement.lang = words.language
  document.title = `${words.title} · Bevis`
  document.body.dataset['state'] = shown.kind
  document.body.replaceChildren(
    h(
      'header',
      { class: 'top' },
      h('div', { class: 'wrap' }, h('span', { class: 'brand' }, sign('mark'), 'Bevis'), languages()),
    ),
    h(
      'main',
      {},
      h(
        'div',
        { class: 'wrap' },
        h(
          'div',
          { class: 'head' },
          h('div', {}, h('h1', {}, words.title), h('p', { class: 'lead' }, words.lead)),
        ),
        h(
          'div',
          { class: 'columns no-print', id: 'files' },
          field(packInput, words.pack, words.packHint),
          field(trustInput, words.trust, words.trustHint),
        ),
        h('p', { class: 'small muted list-top no-print' }, words.drop),
        h('div', { class: 'section', id: 'answer' }, ...answerOf()),
      ),
    ),
    h('footer', { class: 'foot' }, h('div', { class: 'wrap' }, h('p', {}, words.offline))),
    ...document.querySelectorAll('template'),
  )
}

addEventListener('dragover', (event) => event.preventDefault())
addEventListener('drop', (event) => {
  event.preventDefault()
  take([...(event.dataTransfer?.files ?? [])])
})
render()
