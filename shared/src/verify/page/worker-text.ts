/** The bundle of `worker.ts` as text. It is put here when the page is built (deploy/page.ts). */
export const WORKER_TEXT: string = ''
