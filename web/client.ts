import type { Api, Failure } from './api.d.ts'
import type { Refusal } from './refusals.ts'

// Asking the server. Types come from its OpenAPI document; a refusal is a value, and so is an answer that did not come.

export type Route = keyof Api
type Asked<R extends Route> = {
  readonly path?: Api[R]['path']
  readonly query?: Api[R]['query']
  readonly body?: Api[R]['body']
  /** `Idempotency-Key`: whatever is asked twice under it is done once. */
  readonly key?: string
}
export type Done<R extends Route> = { readonly ok: true; readonly data: Api[R]['data'] }
export type Answer<R extends Route> = Done<R> | Refusal

const PATIENCE_MS = 10_000
const strangers = new Set<() => void>()

/** Calls back whenever an answer says that nobody is signed in any more. */
export const onSignedOut = (listener: () => void): void => {
  strangers.add(listener)
}

/** `ask('GET /api/v1/rounds/{id}', { path: { id: 7 } })` */
export const ask = async <R extends Route>(route: R, asked: Asked<R> = {}): Promise<Answer<R>> => {
  const [method, template] = route.split(' ') as [string, string]
  const impatience = new AbortController()
  const timer = setTimeout(() => impatience.abort(), PATIENCE_MS)
  try {
    const response = await fetch(addressOf(template, asked), {
      method,
      credentials: 'same-origin',
      signal: impatience.signal,
      headers: {
        ...(asked.body !== undefined && { 'Content-Type': 'application/json' }),
        ...(asked.key !== undefined && { 'Idempotency-Key': asked.key }),
      },
      ...(asked.body !== undefined && { body: JSON.stringify(asked.body) }),
    })
    const answer = (await response.json()) as { success: true; data: Api[R]['data'] } | Failure
    if (answer.success) return { ok: true, data: answer.data }
    const { code, message, details } = answer.error
    if (code === 'UNAUTHENTICATED') for (const tell of strangers) tell()
    return { ok: false, code, message, details }
  } catch {
    // The network broke, it took too long, or what came is not ours (a proxy without a server behind it).
    return { ok: false, code: 'NO_ANSWER', message: '', details: null }
  } finally {
    clearTimeout(timer)
  }
}

const addressOf = (template: string, { path = {}, query = {} }: Asked<Route>): string => {
  const filled = template.replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(String((path as Record<string, unknown>)[name])),
  )
  const asked = Object.entries(query)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`)
  return asked.length === 0 ? filled : `${filled}?${asked.join('&')}`
}
