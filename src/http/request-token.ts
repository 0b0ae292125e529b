/** The cookie that holds the token of a browser. */
export const sessionCookie = 'galop_session'

export type RequestToken = { readonly token: string; readonly by: 'bearer' | 'cookie' }

type Headers = { get(name: string): string | null | undefined }

/** The token that a request carries: its `Authorization: Bearer` before its cookie. */
export const requestToken = (headers: Headers): RequestToken | undefined => {
  const authorization = headers.get('authorization')
  if (authorization) {
    const bearer = /^bearer +(\S+) *$/i.exec(authorization)?.[1]
    if (bearer !== undefined) return { token: bearer, by: 'bearer' }
  }
  const cookies = headers.get('cookie')
  if (!cookies) return undefined
  for (const pair of cookies.split(';')) {
    const equals = pair.indexOf('=')
    if (equals < 0 || pair.slice(0, equals).trim() !== sessionCookie) continue
    const token = pair.slice(equals + 1).trim()
    if (token !== '') return { token, by: 'cookie' }
  }
  return undefined
}

const changesNothing = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Whether a request that is signed in by cookie comes from a page of another site and asks for a change.
 * Browsers send the cookie by themselves; `Origin` and `Sec-Fetch-Site` they do not let a page choose.
 */
export const isCrossSite = (method: string, headers: Headers): boolean => {
  if (changesNothing.has(method)) return false
  return isForeign(headers)
}

/** The same question for a request whose method says nothing, as the upgrade to a socket. */
export const isForeign = (headers: Headers): boolean => {
  const site = headers.get('sec-fetch-site')
  if (site && site !== 'same-origin' && site !== 'none') return true
  const origin = headers.get('origin')
  if (!origin) return false
  return hostOf(origin) !== headers.get('host')?.toLowerCase()
}

const hostOf = (origin: string): string | undefined => {
  if (!URL.canParse(origin)) return undefined
  const { host } = new URL(origin)
  return host === '' ? undefined : host
}
