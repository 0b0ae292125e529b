import { createHmac, createSign, generateKeyPairSync } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Account } from '../../../src/actors/accounts/users.port.ts'
import { createTokens, rememberedTokens, type Tokens } from '../../../src/http/accounts/tokens.ts'
import { MemoryDirectory } from './memory.directory.ts'

const secret = 'a secret of the test that is long enough'
const lifetimeMs = 12 * 60 * 60 * 1000

let now: number
let directory: MemoryDirectory
let marie: Account
let tokens: Tokens

beforeEach(() => {
  now = Date.UTC(2026, 0, 2, 3, 4, 5)
  directory = new MemoryDirectory()
  marie = directory.add({ name: 'marie', role: 'cashier', passwordHash: 'x' })
  directory.add({ name: 'paul', role: 'admin', passwordHash: 'x' })
  tokens = createTokens({ secret, lifetimeMs, directory, now: () => now })
})

const encode = (part: unknown) => Buffer.from(JSON.stringify(part)).toString('base64url')
const decode = (token: string, part: number) =>
  JSON.parse(Buffer.from(token.split('.')[part]!, 'base64url').toString())
const sign = (head: unknown, claims: unknown, key = secret, hash = 'sha256') => {
  const signed = `${encode(head)}.${encode(claims)}`
  return `${signed}.${createHmac(hash, key).update(signed).digest('base64url')}`
}
const hs256 = { alg: 'HS256', typ: 'JWT' }
const goodClaims = () => decode(tokens.issue(marie).token, 1)

describe('tokens', () => {
  it('tells whose they are, until they run out', () => {
    const { token, session } = tokens.issue(marie)
    expect(tokens.verify(token)).toEqual({
      userId: marie.id,
      name: 'marie',
      role: 'cashier',
      tokenId: session.tokenId,
      tokenVersion: 1,
      expiresAt: now + lifetimeMs,
    })
    now += lifetimeMs - 1
    expect(tokens.verify(token)).toEqual(session)
    now += 1
    expect(tokens.verify(token)).toBeUndefined()
    expect(tokens.isCurrent(session)).toBe(false)
    expect(createTokens({ secret, lifetimeMs, directory, now: () => now }).verify(token)).toBeUndefined()
  })

  it('can be read by other programs as JWTs', () => {
    const { token } = tokens.issue(marie)
    expect(decode(token, 0)).toEqual({ alg: 'HS256', typ: 'JWT' })
    expect(decode(token, 1)).toMatchObject({ sub: '1', name: 'marie', role: 'cashier', ver: 1 })
    expect(decode(token, 1).exp - decode(token, 1).iat).toBe(12 * 60 * 60)
    expect(tokens.verify(sign(hs256, goodClaims()))).toBeDefined()
  })

  it('are refused where they were not signed with the secret of this server, or are not signed', () => {
    const claims = { ...goodClaims(), role: 'admin', sub: '2', name: 'paul' }
    const signature = tokens.issue(marie).token.split('.')[2]
    expect(tokens.verify(sign(hs256, claims))).toBeDefined()
    expect(tokens.verify(sign(hs256, claims, 'another secret, just as long as ours'))).toBeUndefined()
    expect(tokens.verify(sign(hs256, claims, ''.padEnd(1)))).toBeUndefined()
    expect(tokens.verify(`${encode(hs256)}.${encode(claims)}.${signature}`)).toBeUndefined()
    expect(tokens.verify(`${encode(hs256)}.${encode(claims)}.`)).toBeUndefined()
    expect(tokens.verify(`${encode(hs256)}.${encode(claims)}`)).toBeUndefined()
  })

  it.each(['none', 'None', 'NONE', '', 'HS512', 'HS384', 'RS256', 'hs256', undefined, ['HS256'], null])(
    'are refused where their header asks for the algorithm %j, signed or not',
    (alg) => {
      const head = { alg, typ: 'JWT' }
      const unsigned = `${encode(head)}.${encode(goodClaims())}`
      expect(tokens.verify(`${unsigned}.`)).toBeUndefined()
      expect(tokens.verify(unsigned)).toBeUndefined()
      expect(tokens.verify(sign(head, goodClaims()))).toBeUndefined()
      expect(tokens.verify(sign(head, goodClaims(), secret, 'sha512'))).toBeUndefined()
    },
  )

  it('are refused with a signature by a key pair, or by a longer hash under the right name', () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const signed = `${encode({ alg: 'RS256' })}.${encode(goodClaims())}`
    const signature = createSign('sha256').update(signed).sign(privateKey).toString('base64url')
    expect(tokens.verify(`${signed}.${signature}`)).toBeUndefined()
    expect(tokens.verify(sign(hs256, goodClaims(), secret, 'sha512'))).toBeUndefined()
  })

  it('are refused in another spelling of the same signature', () => {
    const { token } = tokens.issue(marie)
    expect(tokens.verify(`${token}=`)).toBeUndefined()
    expect(tokens.verify(` ${token}`)).toBeUndefined()
    const last = token.at(-1)!
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    // The last sign of 43 carries four bits of the signature and two that nobody looks at.
    const twin = token.slice(0, -1) + alphabet[alphabet.indexOf(last) ^ 1]
    expect(Buffer.from(twin.split('.')[2]!, 'base64url')).toEqual(
      Buffer.from(token.split('.')[2]!, 'base64url'),
    )
    expect(tokens.verify(twin)).toBeUndefined()
    expect(tokens.verify(token)).toBeDefined()
  })

  it.each([
    ['without an end', { exp: undefined }],
    ['with an end that is no number', { exp: '99999999999' }],
    ['with an end far behind', { exp: 1 }],
    ['with a subject that is no id', { sub: '1 or 1=1' }],
    ['with a subject that is a number', { sub: 1 }],
    ['with a user that does not exist', { sub: '77' }],
    ['with a role that does not exist', { role: 'root' }],
    ['with a role that its user does not have', { role: 'admin' }],
    ['with another name than its user has', { name: 'paul' }],
    ['with an older version', { ver: 0 }],
    ['with a newer version', { ver: 2 }],
    ['without an id', { jti: '' }],
  ])('are refused %s, however well signed', (_, change) => {
    expect(tokens.verify(sign(hs256, { ...goodClaims(), ...change }))).toBeUndefined()
  })

  it.each(['', '.', '..', '...', 'a.b.c', '{}', 'null.null.null', '💥.💥.💥', 'x'.repeat(100_000)])(
    'are refused where they are no tokens at all, sample %#',
    (text) => {
      expect(tokens.verify(text)).toBeUndefined()
    },
  )

  it('end with a log-out, and with no other', () => {
    const one = tokens.issue(marie)
    const two = tokens.issue(marie)
    expect(tokens.verify(one.token)).toBeDefined()
    directory.revoked.add(one.session.tokenId)
    expect(tokens.verify(one.token)).toBeUndefined()
    expect(tokens.isCurrent(one.session)).toBe(false)
    expect(tokens.verify(two.token)).toBeDefined()
    expect(tokens.isCurrent(two.session)).toBe(true)
  })

  it('end when their user is disabled, and stay ended when it is enabled again', () => {
    const { token, session } = tokens.issue(marie)
    expect(tokens.verify(token)).toBeDefined()
    directory.change(marie.id, { disabled: true })
    expect(tokens.verify(token)).toBeUndefined()
    directory.change(marie.id, { disabled: false })
    expect(tokens.verify(token)).toBeUndefined()
    expect(tokens.isCurrent(session)).toBe(false)
  })

  it('end with a new password', () => {
    const { token } = tokens.issue(marie)
    expect(tokens.verify(token)).toBeDefined()
    directory.change(marie.id, { passwordHash: 'y' })
    expect(tokens.verify(token)).toBeUndefined()
    expect(tokens.verify(tokens.issue(directory.byId(marie.id)!).token)).toBeDefined()
  })

  it('are all good when there are more of them than are remembered', () => {
    const first = tokens.issue(marie).token
    expect(tokens.verify(first)).toBeDefined()
    for (let count = 0; count < rememberedTokens + 5; count += 1) {
      expect(tokens.verify(tokens.issue(marie).token)).toBeDefined()
    }
    expect(tokens.verify(first)).toBeDefined()
  })
})
