// What the server says no to, how, and that nothing is lost by it.
//   R1. A refusal has its status and its code in the envelope, and leaves the round and all receipts as they were.
//   R2. Whatever is asked, nothing is answered with 5xx and nothing is logged as a fault.
import { createHmac, randomUUID } from 'node:crypto'
import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually, startServer, type TestServer } from '../support/server.ts'
import {
  type Answer,
  ask as askAnyhow,
  type Json,
  ON_ALL,
  type Question,
  Station,
} from '../support/station.ts'

const SECRET = 'a secret that only this test and its server know'
const MOST_EXPOSURE = 2_000_000
const UNKNOWN = 999_999_999_999_999

let server: TestServer
let admin: Station
let cashier: Station
let other: Station
const statuses: { what: string; status: number }[] = []

const ask = async (path: string, question: Question = {}): Promise<Answer> => {
  const answer = await askAnyhow(`${server.url}${path}`, question)
  statuses.push({ what: `${question.method ?? 'GET'} ${path}`, status: answer.status })
  return answer
}

/** A station whose every answer is remembered. */
class Watched extends Station {
  override async ask(path: string, { headers = {}, ...question }: Question = {}): Promise<Answer> {
    return ask(path, { ...question, headers: { authorization: `Bearer ${this.token}`, ...headers } })
  }
}
const signIn = async (name: string, password = server.passwordOf(name)): Promise<Watched> => {
  const { token, user } = await Station.signIn(server, name, password)
  return new Watched(server, token, user)
}

const refused = (answer: Answer, status: number, code: string): Json => {
  expect([answer.status, answer.code]).toEqual([status, code])
  expect(answer.headers.get('content-type')).toMatch(/^application\/json/)
  expect(answer.json).toEqual({
    success: false,
    error: { code, message: expect.any(String), details: answer.json.error.details },
  })
  return answer.json.error.details
}

beforeAll(async () => {
  server = await startServer({
    env: {
      JWT_SECRET: SECRET,
      MIN_BET_AMOUNT: '100',
      MAX_BET_AMOUNT: '1000000',
      MAX_ROUND_EXPOSURE: String(MOST_EXPOSURE),
      ROUND_WAIT_DURATION_MS: '4000',
      BETTING_LOCK_DURATION_MS: '600',
      RACE_DURATION_MS: '600',
      RESULTS_DURATION_MS: '600',
    },
  })
  ;[admin, cashier] = await Promise.all([signIn('admin'), signIn('caisse')])
  const body = { name: 'autre', password: 'another password', role: 'cashier' }
  expect((await admin.ask('/api/v1/users/', { method: 'POST', body })).status).toBe(201)
  other = await signIn('autre', body.password)
}, 90_000)
afterAll(() => server?.stop())

/** All that a refused request could have changed. */
const stateOf = async (roundId: number): Promise<Json> => {
  const [round, mine, all] = await Promise.all([
    admin.ask(`/api/v1/rounds/${roundId}`),
    cashier.myBets('?limit=200'),
    admin.myBets('?limit=200&status=cancelled'),
  ])
  return { stats: round.data.stats, mine: mine.data.tickets, sums: mine.data.stats, all: all.data.tickets }
}

const bet = (number: unknown, value: unknown, more: object = {}) => ({
  participant: { number, ...more },
  value,
})
const sale = (...bets: unknown[]) => ({ bets })

describe('a sale', () => {
  const bad: readonly (readonly [title: string, question: Question, status: number, code: string])[] = [
    ['malformed JSON', { body: '{"bets": [' }, 400, 'BAD_JSON'],
    ['a body of nothing', {}, 400, 'BAD_JSON'],
    [
      'a body of another kind',
      { body: 'bets=1', headers: { 'Content-Type': 'text/plain' } },
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    ],
    ['a list for a body', { body: [] }, 400, 'BAD_REQUEST'],
    ['null', { body: 'null' }, 400, 'BAD_REQUEST'],
    ['no bets', { body: sale() }, 400, 'BAD_REQUEST'],
    ['bets that are no list', { body: { bets: 'all' } }, 400, 'BAD_REQUEST'],
    ['a number of a participant that is text', { body: sale(bet('1', 1_000)) }, 400, 'BAD_REQUEST'],
    ['a bet without a participant', { body: sale({ value: 1_000 }) }, 400, 'BAD_REQUEST'],
    ['a user that is text', { body: { user_id: 'caisse', ...sale(bet(1, 1_000)) } }, 400, 'BAD_REQUEST'],
    [
      'another user than the one signed in',
      { body: { user_id: UNKNOWN, ...sale(bet(1, 1_000)) } },
      403,
      'FORBIDDEN',
    ],
    ['an amount that is text', { body: sale(bet(1, '1000')) }, 400, 'BAD_REQUEST'],
    ['an amount with a fraction', { body: sale(bet(1, 1_000.5)) }, 400, 'BAD_REQUEST'],
    [
      'an amount beyond all integers',
      { body: '{"bets":[{"participant":{"number":1},"value":1e300}]}' },
      400,
      'BAD_REQUEST',
    ],
    ['an amount that is null', { body: sale(bet(1, null)) }, 400, 'BAD_REQUEST'],
    ['an amount of nothing', { body: sale(bet(1, 0)) }, 400, 'STAKE_OUT_OF_LIMITS'],
    ['a negative amount', { body: sale(bet(1, -1_000)) }, 400, 'STAKE_OUT_OF_LIMITS'],
    ['an amount just below the limits', { body: sale(bet(1, 99)) }, 400, 'STAKE_OUT_OF_LIMITS'],
    ['an amount just above the limits', { body: sale(bet(1, 1_000_001)) }, 400, 'STAKE_OUT_OF_LIMITS'],
    ['a second bet out of limits', { body: sale(bet(1, 1_000), bet(2, 99)) }, 400, 'STAKE_OUT_OF_LIMITS'],
    ['an unknown participant', { body: sale(bet(7, 1_000)) }, 400, 'PARTICIPANT_UNKNOWN'],
    ['a repeated participant', { body: sale(bet(1, 1_000), bet(1, 2_000)) }, 400, 'PARTICIPANT_REPEATED'],
    [
      'a participant of another name',
      { body: sale(bet(1, 1_000, { name: 'Cheval 2' })) },
      409,
      'PARTICIPANT_CHANGED',
    ],
    ['a wrong coefficient', { body: sale(bet(1, 1_000, { coeff: 2.51 })) }, 409, 'COEFFICIENT_CHANGED'],
    ['a coefficient that is text', { body: sale(bet(1, 1_000, { coeff: '2.5' })) }, 400, 'BAD_REQUEST'],
    ['too large a stake for the exposure', { body: sale(bet(5, 250_000)) }, 409, 'EXPOSURE_REACHED'],
    ['too large a body', { body: sale(...Array(2_000).fill(bet(1, 1_000))) }, 413, 'BODY_TOO_LARGE'],
    ['more bets than anybody runs', { body: sale(...Array(31).fill(bet(1, 1_000))) }, 400, 'BAD_REQUEST'],
    ['a bad idempotency key', { body: sale(bet(1, 1_000)), key: 'with a space' }, 400, 'BAD_REQUEST'],
  ]

  it.each(bad)('is refused with %s, and nothing is lost', async (_title, question, status, code) => {
    const round = await admin.openRound(500)
    const before = await stateOf(round.id)
    const answer = await cashier.ask('/api/v1/receipts/?action=add', { method: 'POST', ...question })
    refused(answer, status, code)
    expect(await stateOf(round.id)).toEqual(before)
  })

  it('is refused for its limits with what they are', async () => {
    const round = await admin.openRound(500)
    expect(refused(await cashier.sell([[1, 99]]), 400, 'STAKE_OUT_OF_LIMITS')).toEqual({
      number: 1,
      value: 99,
      min: 100,
      max: 1_000_000,
    })
    const wrong = { method: 'POST', body: sale(bet(1, 1_000, { coeff: 3 })) }
    const changed = await cashier.ask('/api/v1/receipts/?action=add', wrong)
    expect(refused(changed, 409, 'COEFFICIENT_CHANGED')).toEqual({ number: 1, coeff: 2.5 })
    const unknown = await cashier.sell([[99, 1_000]])
    expect(refused(unknown, 400, 'PARTICIPANT_UNKNOWN')).toEqual({
      number: 99,
      known: round.participants.map(({ number }: Json) => number),
    })
  })

  it('is refused once the exposure is reached, and told how much there is room for', async () => {
    const round = await admin.openRound(1_000)
    const { maxStake } = refused(await cashier.sell([[5, 300_000]]), 409, 'EXPOSURE_REACHED')
    expect(maxStake).toBeGreaterThan(0)
    const before = await stateOf(round.id)
    refused(await cashier.sell([[5, maxStake + 1]]), 409, 'EXPOSURE_REACHED')
    expect(await stateOf(round.id)).toEqual(before)
    const { id, roundId } = await cashier.sold([[5, maxStake]])
    expect(roundId).toBe(round.id)
    expect(refused(await cashier.sell([[5, 100]]), 409, 'EXPOSURE_REACHED')).toMatchObject({ number: 5 })
    // What a cancelled receipt took is free again.
    expect((await cashier.cancel(id)).status).toBe(200)
    expect((await cashier.cancel((await cashier.sold([[5, maxStake]])).id)).status).toBe(200)
  })

  it('is refused where a body without a length grows too large', async () => {
    const answer = await new Promise<{ status: number; text: string }>((resolve, reject) => {
      const sent = request(
        `${server.url}/api/v1/receipts/?action=add`,
        {
          method: 'POST',
          headers: { authorization: `Bearer ${cashier.token}`, 'content-type': 'application/json' },
        },
        (response) => {
          let text = ''
          response.setEncoding('utf8').on('data', (more: string) => {
            text += more
          })
          response.on('end', () => resolve({ status: response.statusCode!, text }))
        },
      )
      sent.on('error', reject)
      for (let count = 0; count < 10; count++) sent.write(' '.repeat(8 * 1024))
      sent.end()
    })
    expect([answer.status, JSON.parse(answer.text).error.code]).toEqual([413, 'BODY_TOO_LARGE'])
  })

  it('is refused on a track that there is not', async () => {
    const answer = await cashier.sell(ON_ALL, { track: '<b>nowhere</b>' })
    expect(refused(answer, 400, 'BAD_REQUEST')).toEqual({ tracks: ['main'] })
  })
})

describe('a receipt', () => {
  it('is refused in every way that it can be, from its sale until long after', async () => {
    const round = await admin.openRound(2_000)
    const all = await cashier.sold(ON_ALL)
    const singles: Json[] = []
    for (let number = 1; number <= 6; number++) singles.push(await cashier.sold([[number, 500]]))
    const dropped = await cashier.sold()
    expect(dropped.roundId).toBe(round.id)
    expect((await cashier.cancel(dropped.id)).status).toBe(200)

    const before = await stateOf(round.id)
    for (const answer of [
      await other.cancel(all.id),
      await other.pay(all.id),
      await other.print(all.id),
      await other.payout(all.id),
      await other.receipt(all.id),
    ])
      expect(refused(answer, 403, 'RECEIPT_FOREIGN')).toEqual({ id: all.id })
    for (const id of [UNKNOWN, 1, 0])
      for (const answer of [
        await cashier.cancel(id),
        await cashier.pay(id),
        await cashier.print(id),
        await cashier.payout(id),
        await cashier.receipt(id),
      ])
        expect(refused(answer, 404, 'RECEIPT_UNKNOWN')).toEqual({ id })
    for (const id of ['', 'x', '-1', '1.5', '1e3', '%3Cb%3E', '9'.repeat(16)])
      refused(await cashier.cancel(id), 400, 'BAD_REQUEST')
    for (const answer of [
      await cashier.cancel(dropped.id),
      await cashier.pay(dropped.id),
      await cashier.print(dropped.id),
    ])
      expect(refused(answer, 409, 'RECEIPT_CANCELLED')).toEqual({
        id: dropped.id,
        at: expect.stringMatching(/^\d{4}-/),
        by: cashier.user.id,
        byName: 'caisse',
      })
    refused(await cashier.pay(all.id), 409, 'RECEIPT_NOT_SETTLED')
    refused(await cashier.payout(all.id), 409, 'RECEIPT_NOT_SETTLED')
    expect(await stateOf(round.id)).toEqual(before)

    await admin.untilRound(round.id, 'betting-locked')
    expect(refused(await cashier.sell(ON_ALL), 409, 'BETTING_LOCKED')).toMatchObject({ roundId: round.id })
    refused(await cashier.cancel(all.id), 409, 'BETTING_LOCKED')
    await admin.untilRound(round.id, 'running')
    expect(refused(await cashier.sell(ON_ALL), 409, 'RACE_RUNNING')).toMatchObject({ roundId: round.id })
    refused(await cashier.cancel(all.id), 409, 'RACE_RUNNING')
    refused(await cashier.pay(all.id), 409, 'RECEIPT_NOT_SETTLED')
    expect(await stateOf(round.id)).toEqual(before)
    const { result } = await admin.untilRound(round.id, 'settled')
    const settled = await stateOf(round.id)
    refused(await cashier.sell(ON_ALL), 409, 'ROUND_SETTLED')
    refused(await cashier.cancel(all.id), 409, 'ROUND_SETTLED')

    const winner = singles[result.winner - 1]
    const loser = singles[result.winner % 6]
    for (const answer of [await cashier.pay(loser.id), await cashier.payout(loser.id)])
      expect(refused(answer, 409, 'RECEIPT_NOT_A_WINNER')).toEqual({ id: loser.id })
    expect(await stateOf(round.id)).toEqual(settled)

    const paid = await admin.pay(winner.id)
    expect(paid.data).toMatchObject({ paidBy: admin.user.id, status: 'paid' })
    const when = { id: winner.id, at: paid.data.paidAt, by: admin.user.id, byName: 'admin' }
    for (const answer of [await cashier.pay(winner.id), await cashier.payout(winner.id)])
      expect(refused(answer, 409, 'RECEIPT_ALREADY_PAID')).toEqual(when)

    await admin.untilRetired(round.id)
    const retired = await stateOf(round.id)
    for (const answer of [await cashier.pay(winner.id), await cashier.payout(winner.id)])
      expect(refused(answer, 409, 'RECEIPT_ALREADY_PAID')).toEqual(when)
    expect(refused(await cashier.cancel(all.id), 409, 'RECEIPT_HISTORICAL')).toEqual({
      id: all.id,
      roundId: round.id,
    })
    refused(await cashier.pay(loser.id), 409, 'RECEIPT_NOT_A_WINNER')
    for (const answer of [
      await other.cancel(all.id),
      await other.pay(all.id),
      await other.print(all.id),
      await other.payout(all.id),
      await other.receipt(all.id),
    ])
      expect(refused(answer, 403, 'RECEIPT_FOREIGN')).toEqual({ id: all.id })
    refused(await cashier.cancel(dropped.id), 409, 'RECEIPT_CANCELLED')
    expect(await stateOf(round.id)).toEqual(retired)
    const late = await admin.pay(all.id)
    expect(late.status).toBe(200)
    expect(refused(await cashier.pay(all.id), 409, 'RECEIPT_ALREADY_PAID')).toEqual({
      id: all.id,
      at: late.data.paidAt,
      by: admin.user.id,
      byName: 'admin',
    })
  })
})

describe('a key that comes again', () => {
  it('gets the first answer, is refused with anything else, and stays its user’s own, also after the round retired', async () => {
    const round = await admin.openRound(1_500)
    const keys = { sell: randomUUID(), cancel: randomUUID(), pay: randomUUID() }
    const sold = await Promise.all(Array.from({ length: 20 }, () => cashier.sell(ON_ALL, { key: keys.sell })))
    expect(new Set(sold.map(({ status, text }) => `${status} ${text}`)).size).toBe(1)
    const { data: receipt } = sold[0]!
    expect(receipt.roundId).toBe(round.id)
    expect((await cashier.dashboard()).data.tickets.map(({ id }: Json) => id)).toEqual([receipt.id])
    refused(await cashier.sell([[1, 1_000]], { key: keys.sell }), 422, 'IDEMPOTENCY_KEY_REUSED')
    refused(await cashier.cancel(receipt.id, keys.sell), 422, 'IDEMPOTENCY_KEY_REUSED')
    const others = await other.sell(ON_ALL, { key: keys.sell })
    expect(others.status).toBe(200)
    expect(others.data.id).not.toBe(receipt.id)

    const dropped = await cashier.sold()
    const cancels = await Promise.all(
      Array.from({ length: 5 }, () => cashier.cancel(dropped.id, keys.cancel)),
    )
    for (const answer of cancels) expect([answer.status, answer.json]).toEqual([200, { success: true }])
    refused(await cashier.cancel(receipt.id, keys.cancel), 422, 'IDEMPOTENCY_KEY_REUSED')
    refused(await cashier.cancel(dropped.id), 409, 'RECEIPT_CANCELLED')

    await admin.untilRound(round.id, 'settled')
    const paid = await Promise.all(Array.from({ length: 5 }, () => cashier.pay(receipt.id, keys.pay)))
    expect(paid[0]!.status).toBe(200)
    expect(new Set(paid.map(({ status, text }) => `${status} ${text}`)).size).toBe(1)
    refused(await cashier.pay(receipt.id), 409, 'RECEIPT_ALREADY_PAID')

    await admin.untilRetired(round.id)
    const again = [
      await cashier.sell(ON_ALL, { key: keys.sell }),
      await cashier.cancel(dropped.id, keys.cancel),
      await cashier.pay(receipt.id, keys.pay),
    ]
    expect(again.map(({ text }) => text)).toEqual([sold[0]!.text, cancels[0]!.text, paid[0]!.text])
    refused(await cashier.pay(receipt.id, keys.sell), 422, 'IDEMPOTENCY_KEY_REUSED')
    refused(await cashier.sell([[2, 1_000]], { key: keys.sell }), 422, 'IDEMPOTENCY_KEY_REUSED')

    // And what is paid only now, from the archive.
    const key = randomUUID()
    const late = await Promise.all(Array.from({ length: 5 }, () => other.pay(others.data.id, key)))
    expect(late[0]!.status).toBe(200)
    expect(new Set(late.map(({ status, text }) => `${status} ${text}`)).size).toBe(1)
    expect((await other.pay(others.data.id, key)).text).toBe(late[0]!.text)
    refused(await other.pay(others.data.id), 409, 'RECEIPT_ALREADY_PAID')
  })
})

describe('an address', () => {
  let routes: { method: string; path: string }[] = []

  beforeAll(async () => {
    const { json } = await ask('/openapi.json')
    routes = Object.entries(json.paths).flatMap(([path, methods]) =>
      Object.keys(methods as object).map((method) => ({ method, path })),
    )
    expect(routes.length).toBeGreaterThan(20)
  })
  const both = (path: string): string[] => {
    const filled = path.replaceAll(/\{\w+\}/g, String(UNKNOWN))
    if (!filled.startsWith('/api/')) return [filled]
    return [filled, filled.endsWith('/') ? filled.slice(0, -1) : `${filled}/`]
  }

  it('answers 405 with what is allowed, whoever asks by another method', async () => {
    const allowed = new Map<string, Set<string>>()
    for (const { path, method } of routes)
      allowed.set(path, (allowed.get(path) ?? new Set()).add(method.toUpperCase()))
    for (const [path, methods] of allowed)
      for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
        if (methods.has(method)) continue
        for (const one of both(path)) {
          const answer = await cashier.ask(one, { method })
          if (/\/my-bets\/\d+\/?$|\/my-bets\/pay\/\d+/.test(one) === false)
            expect([
              method,
              one,
              answer.headers
                .get('allow')
                ?.split(', ')
                .filter((is) => is !== 'HEAD'),
            ]).toEqual([method, one, [...methods].sort()])
          refused(answer, 405, 'METHOD_NOT_ALLOWED')
        }
      }
  })

  it('answers 404 in the envelope to every address that is none', async () => {
    for (const path of [
      '/api',
      '/api/v1',
      '/api/v1/',
      '/api/v2/my-bets/',
      '/api/v1/receipts/1',
      '/api/v1/my-bets/1/2/3',
      '/docs/package.json',
      '/docs/..%2fpackage.json',
      '/docs/%2e%2e/package.json',
      '/wp-admin/%00',
      '/%3Cscript%3Ealert(1)%3C/script%3E',
      '/%ff%fe',
      `/${'x'.repeat(5_000)}`,
    ])
      expect([path, (await ask(path)).code]).toEqual([path, 'NOT_FOUND'])
    refused(await admin.ask('/admin/jobs/static/none.js'), 404, 'NOT_FOUND')
    refused(await ask('/api/v1/none'), 404, 'NOT_FOUND')
  })
})

describe('input', () => {
  const MARKUP = '"><script>alert(1)</script>'

  it('never comes back in a page', async () => {
    const markup = encodeURIComponent(MARKUP)
    await admin.openRound(500)
    const { id } = await cashier.sold()
    const pages = [
      await ask(`/sign-in?next=${markup}&lang=${markup}`),
      await cashier.ask(`/api/v1/receipts/?action=print&id=${id}&lang=${markup}&x=${markup}`, {
        headers: { 'accept-language': MARKUP },
      }),
      await ask(`/docs?url=${markup}`),
      await admin.ask(`/admin/jobs/queue/${markup}?status=${markup}`, { headers: { accept: 'text/html' } }),
    ]
    for (const page of pages) {
      expect(page.status).toBe(200)
      expect(page.headers.get('content-type')).toMatch(/^text\/html/)
      expect(page.headers.get('content-security-policy')).toMatch(/default-src '(none|self)'/)
      expect(page.text).not.toContain('alert(1)')
    }
    for (const answer of [
      await cashier.ask(`/api/v1/my-bets/?status=${markup}&date=${markup}&page=${markup}`),
      await cashier.ask(`/api/v1/my-bets/${markup}`),
      await cashier.ask(`/api/v1/receipts/?action=${markup}`),
      await ask(`/api/v1/rounds/${markup}`),
      await ask(`/api/v1/init/game?track=${markup}`),
      await ask('/api/v1/auth/login', { method: 'POST', body: { name: MARKUP, password: MARKUP } }),
      await cashier.ask('/api/v1/receipts/?action=add', { method: 'POST', body: { bets: MARKUP } }),
    ]) {
      expect(answer.status).toBeGreaterThanOrEqual(400)
      expect(answer.headers.get('content-type')).toMatch(/^application\/json/)
      expect(answer.text).not.toContain('alert(1)')
    }
  })

  it('never becomes a fault, however odd it is', async () => {
    const numbers = [
      '0',
      '1',
      '-1',
      '1e9',
      '999999999',
      '100000000',
      '999999999999999',
      '9'.repeat(30),
      '%00',
      '%ff',
      '',
      'NaN',
    ]
    const dates = [
      '0001-01-01',
      '0000-12-31',
      '9999-12-31',
      '2024-02-30',
      '2024-13-01',
      '2024-02-29',
      'today',
      '%00',
    ]
    for (const number of numbers) {
      for (const name of ['page', 'limit', 'searchId', 'user_id']) {
        await cashier.myBets(`?${name}=${number}`)
        await admin.myBets(`?${name}=${number}`)
      }
      for (const path of ['my-bets/', 'rounds/', 'rounds/?page=', 'rounds/?limit='])
        await admin.ask(`/api/v1/${path}${number}`)
      await ask(`/api/v1/rounds/${number}/proof`)
      // Of all these only 1 is somebody.
      if (number !== '1') await admin.ask(`/api/v1/users/${number}/disable`, { method: 'POST' })
      if (number !== '1')
        await admin.ask(`/api/v1/users/${number}/password`, {
          method: 'POST',
          body: { password: 'long enough' },
        })
      await cashier.print(number)
    }
    for (const date of dates) {
      await cashier.myBets(`?date=${date}`)
      await admin.myBets(`?date=${date}&status=won`)
    }
    for (const name of ['\0', 'é'.repeat(100), '__proto__', 'constructor', "'; drop table users; --"]) {
      refused(
        await ask('/api/v1/auth/login', { method: 'POST', body: { name, password: 'x' } }),
        401,
        'WRONG_PASSWORD',
      )
      await admin.ask('/api/v1/users/', {
        method: 'POST',
        body: { name, password: 'long enough', role: 'cashier' },
      })
    }
    for (const key of ['__proto__', 'a/b/c', '~'.repeat(200), '~'.repeat(201)])
      await cashier.cancel(UNKNOWN, key)
    const odd = [
      '{"bets":[{"participant":{"number":1e308},"value":1}]}',
      '{"__proto__":{"bets":[]},"bets":[]}',
      `${'['.repeat(30_000)}`,
      `{"bets":${'['.repeat(10_000)}${']'.repeat(10_000)}}`,
      '"\\ud800"',
    ]
    for (const body of odd) {
      const { status } = await cashier.ask('/api/v1/receipts/?action=add', { method: 'POST', body })
      expect([400, 409]).toContain(status)
    }
    for (const path of [
      '/admin/jobs/api/queues/none',
      '/admin/jobs/api/queues/persist/none',
      '/admin/jobs/queue/none',
    ])
      await admin.ask(path)
  })
})

describe('a token', () => {
  const encoded = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url')
  const signed = (head: object, claims: object, secret = SECRET, algorithm = 'sha256'): string => {
    const text = `${encoded(head)}.${encoded(claims)}`
    return `${text}.${createHmac(algorithm, secret).update(text).digest('base64url')}`
  }
  const isLetIn = async (token: string): Promise<boolean> => {
    const answer = await ask('/api/v1/auth/me', { headers: { authorization: `Bearer ${token}` } })
    const cookie = await ask('/api/v1/auth/me', { headers: { cookie: `galop_session=${token}` } })
    expect(cookie.status).toBe(answer.status)
    if (answer.status !== 200) refused(answer, 401, 'UNAUTHENTICATED')
    return answer.status === 200
  }

  it('that is forged, unsigned, out of date or of another kind is worth nothing', async () => {
    const [head, payload, signature] = cashier.token.split('.') as [string, string, string]
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString())
    const honest = { alg: 'HS256', typ: 'JWT' }
    // The test's own signature counts, so that the others are refused for what is wrong with them.
    expect(await isLetIn(signed(honest, claims))).toBe(true)
    const now = Math.floor(Date.now() / 1_000)
    for (const token of [
      `${head}.${payload}.`,
      `${head}.${payload}`,
      `${encoded({ alg: 'none', typ: 'JWT' })}.${payload}.`,
      `${encoded({ alg: 'none', typ: 'JWT' })}.${payload}.${signature}`,
      signed({ alg: 'none' }, claims),
      signed({ alg: 'HS512' }, claims, SECRET, 'sha512'),
      signed(honest, claims, 'another secret of some thirty-two letters'),
      signed(honest, { ...claims, role: 'admin' }),
      signed(honest, { ...claims, sub: '1' }),
      signed(honest, { ...claims, sub: String(UNKNOWN) }),
      signed(honest, { ...claims, exp: now - 1 }),
      signed(honest, { ...claims, exp: undefined }),
      signed(honest, { ...claims, ver: claims.ver + 1 }),
      `${head}.${encoded({ ...claims, role: 'admin' })}.${signature}`,
      `${cashier.token}x`,
      'x'.repeat(6_000),
      '..',
    ])
      expect([token, await isLetIn(token)]).toEqual([token, false])
  })

  it('is worth nothing after its log-out, and others of its user stay', async () => {
    const station = await signIn('autre', 'another password')
    expect((await station.ask('/api/v1/auth/logout', { method: 'POST' })).status).toBe(200)
    expect(await isLetIn(station.token)).toBe(false)
    refused(await station.sell(ON_ALL), 401, 'UNAUTHENTICATED')
    expect(await isLetIn(other.token)).toBe(true)
  })

  it('is worth nothing once its user is disabled or has a new password', async () => {
    const station = await signIn('autre', 'another password')
    const change = (what: string, body?: object) =>
      admin.ask(`/api/v1/users/${station.user.id}/${what}`, { method: 'POST', body })
    expect((await change('disable')).status).toBe(200)
    expect(await isLetIn(station.token)).toBe(false)
    refused(await station.sell(ON_ALL), 401, 'UNAUTHENTICATED')
    const login = { method: 'POST', body: { name: 'autre', password: 'another password' } }
    refused(await ask('/api/v1/auth/login', login), 401, 'WRONG_PASSWORD')
    expect((await change('enable')).status).toBe(200)
    expect(await isLetIn(station.token)).toBe(false)
    const back = await signIn('autre', 'another password')
    expect((await change('password', { password: 'a newer password' })).status).toBe(200)
    expect(await isLetIn(back.token)).toBe(false)
    refused(await ask('/api/v1/auth/login', login), 401, 'WRONG_PASSWORD')
    other = await signIn('autre', 'a newer password')
  })
})

describe('whoever asks too often', () => {
  it('is told when to come back, alone, and nothing is sold meanwhile', async () => {
    await server.restart({ RATE_LIMIT_PER_MINUTE: '12', LOGIN_LIMIT_PER_MINUTE: '3' })
    const sold = async () => (await admin.myBets('?limit=1')).data.pagination.total
    const before = await sold()
    const answers: Answer[] = []
    for (let count = 0; count < 13; count++) answers.push(await cashier.dashboard())
    expect(answers.map(({ status }) => status)).toEqual([...Array(12).fill(200), 429])
    const tooMany = await cashier.sell(ON_ALL)
    refused(tooMany, 429, 'TOO_MANY_REQUESTS')
    expect(Number(tooMany.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
    expect(Number(tooMany.headers.get('retry-after'))).toBeLessThanOrEqual(60)
    expect((await other.dashboard()).status).toBe(200)
    expect((await ask('/api/v1/init/game')).status).toBe(200)
    expect(await sold()).toBe(before)
  })

  it('with wrong passwords is stopped, and the right one does not help any more', async () => {
    const login = (password: string) =>
      ask('/api/v1/auth/login', { method: 'POST', body: { name: 'caisse', password } })
    for (let count = 0; count < 3; count++) refused(await login('wrong'), 401, 'WRONG_PASSWORD')
    const stopped = await login(server.passwordOf('caisse'))
    refused(stopped, 429, 'TOO_MANY_REQUESTS')
    expect(Number(stopped.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
    const name = { name: 'autre', password: 'a newer password' }
    expect((await ask('/api/v1/auth/login', { method: 'POST', body: name })).status).toBe(200)
  })
})

it('answered nothing of all this with a fault', async () => {
  expect(statuses.length).toBeGreaterThan(500)
  expect(statuses.filter(({ status }) => status >= 500)).toEqual([])
  expect(server.errorsLogged).toEqual([])
  const health = await eventually('the server is well', async () => {
    const { json } = await ask('/health/detailed')
    return json.status === 'ok' && json
  })
  expect(health.status).toBe('ok')
})
