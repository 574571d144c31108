import { BevisError, ERRORS, errorCodeOf } from '@bevis/shared/error'
import type { ErrorCode } from '@bevis/shared/error'
import type { Problem } from '@bevis/shared/wire'

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8'

/** RFC 9457 problem details of anything thrown. What is not ours is told without its details. */
export function problemOf(error: unknown): Problem {
  if (error instanceof BevisError) return problemFor(error.code, error.message)
  if (error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number') {
    const { statusCode: status, message } = error
    if (status < 500) return { ...problemFor(codeOfStatus(status), message), status }
  }
  return problemFor(errorCodeOf(error), undefined)
}

export function problemFor(code: ErrorCode, detail: string | undefined): Problem {
  const { means, http } = ERRORS[code]
  return {
    type: `urn:bevis:error:${code}`,
    title: means,
    status: statusOf(code, http),
    ...(detail === undefined ? {} : { detail: detail.slice(0, 2_000) }),
    code,
  }
}

/** Trouble with our own log is for us to mend: a sender keeps what it has and comes back. */
function statusOf(code: ErrorCode, http: number): number {
  return code === 'LOG_INCONSISTENT' || code === 'LOG_ROLLED_BACK' ? 503 : http
}

function codeOfStatus(status: number): ErrorCode {
  switch (status) {
    case 401:
      return 'UNAUTHORIZED'
    case 403:
      return 'FORBIDDEN'
    case 404:
      return 'NOT_FOUND'
    case 413:
      return 'REQUEST_TOO_LARGE'
    case 429:
      return 'TOO_MANY_REQUESTS'
    default:
      return 'REQUEST_INVALID'
  }
}
