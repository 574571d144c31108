/** A visit to the collector's pages, as a browser makes it: with cookies, a form and its token. */
export interface Visit {
  /** What a page answers: its status and text. */
  get(path: string): Promise<{ status: number; text: string }>
}

/** Signs in through the form. @returns null when the collector does not let us in */
export async function signIn(url: string, email: string, password: string): Promise<Visit | null> {
  const cookies = new Map<string, string>()
  const ask = async (path: string, init: RequestInit = {}): Promise<Response> => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(new URL(path, url), {
      ...init,
      redirect: 'manual',
      headers: { cookie, 'accept-language': 'en' },
    })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      cookies.set(name, value)
    }
    return response
  }
  const form = await (await ask('/sign-in')).text()
  const token = /name="_csrf"[^>]*value="([^"]+)"/.exec(form)?.[1] ?? ''
  const body = new URLSearchParams({ _csrf: token, email, password })
  if ((await ask('/sign-in', { method: 'POST', body })).status !== 303) return null
  return {
    async get(path) {
      const response = await ask(path)
      return { status: response.status, text: await response.text() }
    },
  }
}
