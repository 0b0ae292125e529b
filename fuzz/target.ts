import { createHmac, randomUUID } from 'node:crypto'
import { startServer, type TestServer } from '../tests/support/server.ts'
import { ask, Station } from '../tests/support/station.ts'
import type { OpenApi } from './document.ts'
import type { Role } from './request.ts'
import type { Known } from './values.ts'

// The built server that is asked, with everything in its log, and what the asker knows of it.

const SECRET = 'the-secret-that-signs-all-tokens-of-this-fuzz'
const PASSWORDS = { admin: 'Admin-Horse-4711', caisse: 'Caisse-Horse-4712', autre: 'Autre-Horse-4713' }
/** Rounds that are short, so that receipts are met in all their states. */
const ROUND_MS = {
  ROUND_WAIT_DURATION_MS: '3000',
  BETTING_LOCK_DURATION_MS: '400',
  RACE_DURATION_MS: '400',
  RESULTS_DURATION_MS: '200',
}
const MOST_KNOWN = 200

type Claims = Readonly<Record<string, unknown>>

export class Target {
  readonly server: TestServer
  readonly document: OpenApi
  /** What must be nowhere: not in an answer, and not in the log. */
  readonly secrets: readonly string[] = [SECRET, ...Object.values(PASSWORDS), 'scrypt$']
  /** Accounts that ask: no request may lock them out. */
  readonly #own: ReadonlySet<number>
  readonly #claims: ReadonlyMap<string, Claims>
  readonly #tokens = new Map<Role, string>()
  readonly #known: Record<Known, number[]> = { receipt: [], round: [], user: [] }

  private constructor(server: TestServer, document: OpenApi, claims: ReadonlyMap<string, Claims>) {
    this.server = server
    this.document = document
    this.#claims = claims
    this.#own = new Set([...claims.values()].map(({ sub }) => Number(sub)))
    for (const role of ['forged', 'alg none', 'expired', 'cashier', 'other cashier', 'admin'] as const)
      this.#tokens.set(role, this.#mint(role))
  }

  static async start(): Promise<Target> {
    const server = await startServer({
      env: {
        ...ROUND_MS,
        JWT_SECRET: SECRET,
        ADMIN_PASSWORD: PASSWORDS.admin,
        CASHIER_PASSWORD: PASSWORDS.caisse,
        LOG_LEVEL: 'trace',
      },
    })
    const admin = await Station.signIn(server, 'admin')
    const body = { name: 'autre', password: PASSWORDS.autre, role: 'cashier' }
    await admin.ask('/api/v1/users/', { method: 'POST', body })
    const stations = [
      admin,
      await Station.signIn(server, 'caisse'),
      await Station.signIn(server, 'autre', PASSWORDS.autre),
    ]
    const claims = stations.map(({ token, user }) => [user.name, claimsOf(token)] as const)
    const { json } = await ask(`${server.url}/openapi.json`)
    return new Target(server, json, new Map(claims))
  }

  /** A token of this role; one of its own where the request may end it. */
  tokenFor(role: Role, isToBeEnded: boolean): string | undefined {
    return isToBeEnded && role !== 'nobody' ? this.#mint(role) : this.#tokens.get(role)
  }

  #mint(role: Role): string {
    const name = role === 'admin' ? 'admin' : role === 'other cashier' ? 'autre' : 'caisse'
    const claims = { ...this.#claims.get(name), jti: randomUUID() }
    if (role === 'alg none') return `${encoded({ alg: 'none', typ: 'JWT' })}.${encoded(claims)}.`
    if (role === 'expired') return signed({ ...claims, exp: Math.floor(Date.now() / 1000) - 1 }, SECRET)
    return signed(claims, role === 'forged' ? 'another secret, of whoever forges tokens' : SECRET)
  }

  /** The number that a placeholder stands for at this moment. */
  knownOne(what: Known, index: number): string {
    const known = this.#known[what]
    return known.length === 0 ? '1' : String(known[index % known.length])
  }

  isOwnAccount(id: string): boolean {
    return this.#own.has(Number(id))
  }

  /** Remembers what an answer told of. */
  learn(operation: string, status: number, body: string): void {
    if (status !== 200 && status !== 201) return
    if (operation === 'POST /api/v1/users/') this.#remember('user', idIn(body))
    if (operation === 'GET /api/v1/rounds/current') this.#remember('round', idIn(body))
    if (operation === 'POST /api/v1/receipts/') this.#remember('receipt', idIn(body))
  }

  #remember(what: Known, id: number | undefined): void {
    const known = this.#known[what]
    if (id === undefined || known.at(-1) === id) return
    known.push(id)
    if (known.length > MOST_KNOWN) known.shift()
  }
}

const idIn = (body: string): number | undefined => {
  const { data } = JSON.parse(body) as { data?: { id?: number } }
  return data?.id
}
const encoded = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url')
const signed = (claims: object, secret: string): string => {
  const text = `${encoded({ alg: 'HS256', typ: 'JWT' })}.${encoded(claims)}`
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
}
const claimsOf = (token: string): Claims =>
  JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as Claims
