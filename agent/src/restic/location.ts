import { isAbsolute, resolve } from 'node:path'

/**
 * A repository's URL as it may stand in evidence, logs and messages: user names and passwords are cut out,
 * and so is everything that a query or an rclone connection string may carry.
 */
export function publicLocation(url: string): string {
  const rclone = /^rclone::([^,:]+),.*(:[^:]*)$/s.exec(url)
  if (rclone) return `rclone::${rclone[1]}${rclone[2]}`
  const parts = /^((?:[a-z0-9+.-]+:)?[a-z0-9+.-]*:\/\/)(.*)$/is.exec(url)
  if (!parts) return url
  const [, scheme = '', rest = ''] = parts
  return scheme + rest.slice(userinfoLength(rest)).replace(/\?.*$/s, '')
}

/** The same for two URLs that only spell one place otherwise: by `local:`, or by slashes. */
export function placeOf(url: string): string {
  const path = url.replace(/^local:/, '')
  return isAbsolute(path) ? resolve(path) : url.replace(/\/+$/, '')
}

/** Ends before the host. A password with a bare slash is no valid URL, but must not be shown for that. */
function userinfoLength(rest: string): number {
  const authority = /^[^/?#]*/.exec(rest)?.[0] ?? ''
  if (authority.includes('@')) return authority.lastIndexOf('@') + 1
  const portOrNothing = /^(\[[^\]]*\]|[^:]*)(:\d*)?$/.test(authority)
  return portOrNothing ? 0 : rest.lastIndexOf('@') + 1
}

/** The secrets that a URL carries, to be cut out of what restic says. */
export function secretsOf(url: string): string[] {
  const location = publicLocation(url)
  if (location === url) return []
  const userinfo = /:\/\/(.*)@/s.exec(url)?.[1] ?? ''
  const password = userinfo.slice(userinfo.indexOf(':') + 1)
  return [url, userinfo, password, safeDecode(password)].filter((secret) => secret.length > 2)
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
