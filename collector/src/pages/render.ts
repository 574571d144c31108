import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Html } from './html.ts'
import { chooseLanguage, localeOf } from './language/locale.ts'
import type { Locale } from './language/locale.ts'
import type { Account } from './reader.ts'
import { page } from './view/page.ts'
import type { Section } from './view/page.ts'

export const LANGUAGE_COOKIE = 'bevis-language'

/** No script runs, nothing is fetched from elsewhere, and nobody frames a page. */
export const CONTENT_SECURITY_POLICY =
  "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

interface Kind {
  title: string | ((locale: Locale) => string)
  section?: Section
  /** IANA zone that instants are shown in. */
  zone?: string
  /** Who is signed in. */
  account?: Account
}

/** Makes a whole page in the reader's language, with its headers. */
export type Render = (
  request: FastifyRequest,
  reply: FastifyReply,
  kind: Kind,
  content: (locale: Locale) => Html,
) => Promise<string>

export function createRender(now: () => Date): Render {
  return async (request, reply, kind, content) => {
    const locale = localeOfRequest(request, kind.zone)
    void reply
      .type('text/html; charset=utf-8')
      .header('content-security-policy', CONTENT_SECURITY_POLICY)
      .header('cache-control', 'private, no-store')
      .header('referrer-policy', 'same-origin')
      .header('vary', 'cookie, accept-language')
    const { title, section, account } = kind
    const frame = {
      title: typeof title === 'string' ? title : title(locale),
      ...(section === undefined ? {} : { section }),
      path: request.url,
      at: now(),
      reader: account === undefined ? null : { email: account.email, csrf: reply.generateCsrf() },
    }
    const text = await page(frame, locale, content(locale))
    return text.toString()
  }
}

export function localeOfRequest(request: FastifyRequest, zone?: string): Locale {
  const language = chooseLanguage(request.cookies?.[LANGUAGE_COOKIE], request.headers['accept-language'])
  return localeOf(language, zone)
}
