import { html } from 'hono/html'

/** A piece of a page. Made only by the `html` tag, which escapes what is put into it. */
export type Html = ReturnType<typeof html>

export { html }

export const nothing = html``
