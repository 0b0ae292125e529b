import { Agent, type IncomingHttpHeaders, request } from 'node:http'
import type { Operation } from './document.ts'
import type { Asked } from './request.ts'
import type { Target } from './target.ts'
import { KNOWN, type Known } from './values.ts'

// From what is to be asked to bytes, and back.

export type Sent = {
  readonly method: string
  readonly path: string
  readonly headers: readonly (readonly [string, string])[]
  readonly body: string | undefined
}
export type Answered = {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}
export type Outcome = Answered | { readonly trouble: string; readonly isLost?: boolean }

const ANSWER_LIMIT_MS = 10_000
const LOOK_EVERY_MS = 250
const STANDSTILL_MS = 2_000

/** What goes out, with everything in it that is known only now. */
export const prepare = (target: Target, operation: Operation, asked: Asked): Sent => {
  const filled = (text: string): string =>
    text.replace(KNOWN, (_all, what: Known, index: string) => target.knownOne(what, Number(index)))
  const changesAccount = operation.path.includes('/users/{id}')
  const path = operation.path.replace(/\{(\w+)\}/g, (_all, name: string) => {
    const value = filled(asked.inPath[name] ?? '')
    return encoded(changesAccount && target.isOwnAccount(value) ? '0' : value)
  })
  const pairs = asked.query.map(([name, value]) => `${encoded(filled(name))}=${encoded(filled(value))}`)
  const query = pairs.length > 0 || asked.queryEnd ? `?${pairs.join('&')}${asked.queryEnd}` : ''
  const token = target.tokenFor(asked.role, operation.path.endsWith('/logout'))
  const session =
    token === undefined
      ? []
      : asked.by === 'bearer'
        ? [['Authorization', `Bearer ${token}`] as const]
        : [['Cookie', `galop_session=${token}`] as const]
  const body = asked.body === undefined ? undefined : filled(asked.body)
  const length =
    body === undefined || asked.isChunked
      ? []
      : [['Content-Length', String(Buffer.byteLength(body))] as const]
  return {
    method: asked.method,
    path: printable(`${path}${filled(asked.pathEnd)}${filled(query)}`),
    headers: [
      ['Host', new URL(target.server.url).host] as const,
      ...session,
      ...asked.headers,
      ...length,
    ].map(([name, value]) => [name, value.replace(/[\0\r\n]/g, ' ')] as const),
    body,
  }
}

export class Sender {
  /** Requests that were asked again because the machine stood still while they were under way. */
  repeated = 0
  readonly #agent: Agent
  readonly #port: number
  readonly #pulse: NodeJS.Timeout
  #beatAt = performance.now()
  #standstills = 0

  constructor(target: Target, connections: number) {
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections })
    this.#port = Number(new URL(target.server.url).port)
    this.#pulse = setInterval(() => this.#beat(), LOOK_EVERY_MS)
  }

  /** Where this process missed so many looks, everything was stopped, the server and its Postgres too. */
  #beat(): void {
    const now = performance.now()
    if (now - this.#beatAt > STANDSTILL_MS) this.#standstills++
    this.#beatAt = now
  }

  /** A server may end a connection between two requests, while the next is on its way: then it is sent again, once. */
  async send(sent: Sent): Promise<Outcome> {
    const before = this.#standstills
    const first = await this.#once(sent)
    this.#beat()
    const isLate = 'trouble' in first || first.status === 503
    if (isLate && this.#standstills > before) this.repeated++
    else if (!('isLost' in first && first.isLost)) return first
    return this.#once(sent)
  }

  #once({ method, path, headers, body }: Sent): Promise<Outcome> {
    return new Promise((resolve) => {
      const outgoing = request({
        agent: this.#agent,
        host: '127.0.0.1',
        port: this.#port,
        method,
        path,
        headers: headers.map((pair) => [...pair]) as unknown as string[],
      })
      // Looks, not time: whoever stands still together with the server has waited for nothing.
      let looks = 0
      const watch = setInterval(() => {
        if (++looks * LOOK_EVERY_MS > ANSWER_LIMIT_MS) outgoing.destroy(new Error('no answer in time'))
      }, LOOK_EVERY_MS)
      const end = (outcome: Outcome): void => {
        clearInterval(watch)
        resolve(outcome)
      }
      outgoing.on('error', (error: NodeJS.ErrnoException) =>
        end({ trouble: error.message, isLost: outgoing.reusedSocket && error.code === 'ECONNRESET' }),
      )
      outgoing.on('response', (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', (error) => end({ trouble: error.message }))
        response.on('end', () =>
          end({
            status: response.statusCode!,
            headers: response.headers,
            body: Buffer.concat(chunks).toString('utf8'),
          }),
        )
      })
      outgoing.end(body)
    })
  }

  close(): void {
    clearInterval(this.#pulse)
    this.#agent.destroy()
  }
}

/** Lone surrogates have no UTF-8; they go as what stands in their place. */
const wellFormed = (text: string): string => text.replace(/\p{Surrogate}/gu, '\uFFFD')
const encoded = (text: string): string => encodeURIComponent(wellFormed(text))
/** What Node's client puts into a request line; all else is written as bytes. */
const printable = (text: string): string =>
  text.replace(/[^\x21-\x7e]/gu, (one) => encodeURIComponent(wellFormed(one)))

/** A command that sends it again. */
export const asCurl = (url: string, { method, path, headers, body }: Sent): string => {
  const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`
  const lines = headers
    .filter(([name]) => !['Host', 'Content-Length'].includes(name))
    .map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`)
  const data = body === undefined ? [] : [`--data-binary ${quoted(body.slice(0, 2_000))}`]
  return ['curl --path-as-is -si -X', method, quoted(`${url}${path}`), ...lines, ...data].join(' ')
}
