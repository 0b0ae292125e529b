import { Hono } from 'hono'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import type { AccountRefusal } from '../../src/domain/accounts/user.ts'
import type { RefusalCode } from '../../src/domain/racing/refusals.ts'
import { type ErrorCode, errors, failure, ok, refusal } from '../../src/http/answer.ts'
import { readBody } from '../../src/http/body.ts'

// These lines are the test: they compile only while the table has an entry for each refusal of the domain.
const everyRacingRefusal: [RefusalCode] extends [ErrorCode] ? true : RefusalCode = true
const everyAccountRefusal: [AccountRefusal['refused']] extends [ErrorCode] ? true : never = true

describe('an answer', () => {
  it('has an entry in the table for each refusal of the domain', () => {
    expect([everyRacingRefusal, everyAccountRefusal]).toEqual([true, true])
  })

  it('says in a whole sentence what happened, whatever the code, and is a 4xx or 5xx', () => {
    for (const [code, { status, message }] of Object.entries(errors)) {
      expect(status, code).toBeGreaterThanOrEqual(400)
      expect(message, code).toMatch(/^[A-Z].{20,}\.$/)
    }
  })

  it('carries the envelope, the status and how long to wait', async () => {
    const app = new Hono()
      .get('/ok', (c) => ok(c, { id: 1 }, 201))
      .get('/locked', (c) => refusal(c, 'BETTING_LOCKED', undefined, { roundId: 3 }))
      .get('/often', (c) => refusal(c, 'TOO_MANY_REQUESTS', 'Slow down.', { retryAfterSeconds: 6.2 }))
      .get('/away', (c) => refusal(c, 'POSTGRES_UNAVAILABLE'))
      .get('/who', (c) => refusal(c, 'UNAUTHENTICATED'))
    const answered = await app.request('/ok')
    expect([answered.status, await answered.json()]).toEqual([201, { success: true, data: { id: 1 } }])
    const locked = await app.request('/locked')
    expect(locked.status).toBe(409)
    expect(await locked.json()).toEqual({
      success: false,
      error: {
        code: 'BETTING_LOCKED',
        message: 'Betting on this round is closed; sell on the next round.',
        details: { roundId: 3 },
      },
    })
    expect(locked.headers.get('retry-after')).toBeNull()
    const often = await app.request('/often')
    expect([often.status, often.headers.get('retry-after')]).toEqual([429, '7'])
    expect(await often.json()).toMatchObject({ error: { message: 'Slow down.' } })
    const away = await app.request('/away')
    expect([away.status, away.headers.get('retry-after')]).toEqual([503, '1'])
    expect(await away.json()).toEqual(failure('POSTGRES_UNAVAILABLE'))
    expect((await app.request('/who')).headers.get('www-authenticate')).toContain('Bearer')
  })
})

const schema = v.object({
  name: v.string(),
  password: v.pipe(v.string(), v.minLength(8, 'too short')),
  bets: v.optional(v.array(v.object({ value: v.pipe(v.number(), v.integer()) }))),
})
const app = new Hono().post('/', async (c) => {
  const body = await readBody(c, schema)
  return body instanceof Response ? body : ok(c, body)
})
const post = (body: string | null, type: string | null = 'application/json') =>
  app.request('/', { method: 'POST', body, headers: type === null ? {} : { 'content-type': type } })
const codeOf = async (answer: Response) => ((await answer.json()) as { error: { code: string } }).error.code

describe('a body', () => {
  const good = { name: 'marie', password: 'correct horse' }

  it.each(['application/json', 'application/json; charset=utf-8', 'Application/JSON ;charset=utf-8'])(
    'is read as %s',
    async (type) => {
      const answer = await post(JSON.stringify({ ...good, other: 1 }), type)
      expect(await answer.json()).toEqual({ success: true, data: good })
    },
  )

  it.each(['{', 'name=marie', '{"password": "correct horse"', '\u0000', '{"a":1}}', 'NaN'])(
    'is refused as %j, which is not JSON, without being quoted',
    async (text) => {
      const answer = await post(text)
      expect(answer.status).toBe(400)
      const said = await answer.text()
      expect(JSON.parse(said).error.code).toBe('BAD_JSON')
      expect(said).not.toContain('horse')
    },
  )

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp', 'multipart/form-data'])(
    'is refused as %s, which another site can send without asking',
    async (type) => {
      const answer = await post(JSON.stringify(good), type)
      expect([answer.status, await codeOf(answer)]).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE'])
    },
  )

  it('is missed where it is needed', async () => {
    const answer = await post(null, null)
    expect([answer.status, await codeOf(answer)]).toEqual([400, 'BAD_JSON'])
  })

  it('is refused with the places that are wrong, and never with what was there', async () => {
    const answer = await post(
      JSON.stringify({
        name: ['secret-1'],
        password: 'secret2',
        bets: [{ value: 'secret-3' }, { value: 1.5 }],
      }),
    )
    expect(answer.status).toBe(400)
    const said = await answer.text()
    expect(said).not.toMatch(/secret|1\.5/)
    expect(JSON.parse(said).error).toMatchObject({
      code: 'BAD_REQUEST',
      details: [
        { path: 'name', message: 'Expected string' },
        { path: 'password', message: 'too short' },
        { path: 'bets.0.value', message: 'Expected number' },
        { path: 'bets.1.value', message: expect.any(String) },
      ],
    })
  })

  it.each(['null', '[]', '"text"', '1', 'true', '{"__proto__": {"name": "x"}}'])(
    'is refused as %s, which has the wrong shape',
    async (text) => {
      const answer = await post(text)
      expect([answer.status, await codeOf(answer)]).toEqual([400, 'BAD_REQUEST'])
    },
  )

  it('is refused where it is longer than any route needs', async () => {
    const answer = await post(JSON.stringify({ ...good, name: 'x'.repeat(70_000) }))
    expect([answer.status, await codeOf(answer)]).toEqual([413, 'BODY_TOO_LARGE'])
  })

  it('lists no more than twenty faults', async () => {
    const bets = Array.from({ length: 500 }, () => ({ value: 'x' }))
    const answer = await post(JSON.stringify({ ...good, bets }))
    const { error } = (await answer.json()) as { error: { details: unknown[] } }
    expect(error.details).toHaveLength(20)
  })
})
