import type { Operation } from './document.ts'
import { type Asked, isPlain } from './request.ts'
import type { Answered, Outcome, Sent } from './send.ts'
import { MARKUP } from './values.ts'

// What an answer must be, whatever was asked.
//   F1. There is one, in time, and it is no fault of the server.
//   F2. Its status and its body are in the document; where a request goes to no route, it is a refusal of HTTP.
//   F3. A page has a content policy and nothing of the request that is markup.
//   F4. No secret is in it, and the seed of a round only once the round is settled.

/** A request that reaches no route is answered with one of these. */
const OF_HTTP = new Set([400, 404, 405, 413, 414, 417, 431])

export const faultsOf = (
  operation: Operation,
  asked: Asked,
  sent: Sent,
  outcome: Outcome,
  secrets: readonly string[],
): string[] => {
  if ('trouble' in outcome) return [`no answer: ${outcome.trouble}`]
  const { status, headers, body } = outcome
  const faults: string[] = []
  if (status >= 500) faults.push(`status ${status}`)
  else if (!isRefusedByHttp(asked, sent, outcome)) {
    const isOwn = isPlain(asked, operation)
    const fault = operation.faultOf(status, String(headers['content-type'] ?? ''), body)
    if (fault !== undefined && (isOwn || !(OF_HTTP.has(status) || isElsewhere(status)))) faults.push(fault)
  }
  faults.push(...pageFaults(outcome))
  const isLogin = operation.path.endsWith('/auth/login')
  for (const secret of secrets) if (body.includes(secret)) faults.push('a secret is in the answer')
  for (const [name, value] of sent.headers)
    if (['Authorization', 'Cookie'].includes(name) && isToken(value) && body.includes(tokenOf(value)))
      faults.push('the token of the request is in the answer')
  if (!isLogin && status < 300 && headers['set-cookie']?.some((one) => /galop_session=[^;]/.test(one)))
    faults.push('a session is given to somebody who did not sign in')
  if (headers['x-injected'] !== undefined) faults.push('a header of the answer came from the request')
  return faults
}

/** Node itself refuses what is no HTTP, before anybody looks at a route. */
const isRefusedByHttp = (asked: Asked, sent: Sent, { status, body }: Answered): boolean =>
  (status === 417 && asked.headers.some(([name]) => name === 'Expect')) ||
  ((status === 400 || status === 431) && body === '' && sent.headers.length > 0) ||
  asked.method === 'HEAD'

/** A path that was changed may be that of another route, which answers as it does. */
const isElsewhere = (status: number): boolean =>
  [200, 201, 302, 401, 403, 409, 415, 422, 426].includes(status)

const pageFaults = ({ headers, body }: Answered): string[] => {
  if (!String(headers['content-type'] ?? '').startsWith('text/html')) return []
  const faults = []
  if (body.includes(MARKUP)) faults.push('markup of the request is in a page')
  if (!/default-src '(none|self)'/.test(String(headers['content-security-policy'])))
    faults.push('a page without a content policy')
  if (headers['x-content-type-options'] !== 'nosniff')
    faults.push('a page that may be taken for something else')
  return faults
}

const tokenOf = (value: string): string => value.replace(/^Bearer |^galop_session=/, '')
const isToken = (value: string): boolean => tokenOf(value).length > 60
