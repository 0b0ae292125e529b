// What nobody should send, to the built server, as `npm run fuzz` does; and that the judges of it can tell right from wrong.
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type OpenApi, type Operation, operationsOf } from '../../fuzz/document.ts'
import { faultsOf } from '../../fuzz/judge.ts'
import type { Asked } from '../../fuzz/request.ts'
import { fuzzRequests } from '../../fuzz/requests.ts'
import { SeedWatch } from '../../fuzz/seeds.ts'
import type { Answered, Sent } from '../../fuzz/send.ts'
import { fuzzSockets } from '../../fuzz/sockets.ts'
import { Target } from '../../fuzz/target.ts'
import { MARKUP } from '../../fuzz/values.ts'
import { fuzzWire } from '../../fuzz/wire.ts'

const REQUESTS = 3_000
const SOCKETS = 60
/** Another one each day, the same for all runs of that day: it is printed with what it finds. */
const SEED = Math.floor(Date.now() / 86_400_000)

describe('the server, asked for anything', () => {
  let target: Target
  beforeAll(async () => {
    target = await Target.start()
  })
  afterAll(() => target?.server.stop())

  it(`answers ${REQUESTS} requests as its document says, and tells no secret`, async () => {
    const { requests, findings, counts, operations } = await fuzzRequests(target, SEED, REQUESTS)
    expect(findings, `npm run fuzz -- --seed ${SEED} --requests ${REQUESTS}`).toEqual([])
    expect([requests, counts.size]).toEqual([REQUESTS, operations])
    // Enough of them got through to where the work is done.
    for (const route of ['POST /api/v1/receipts/', 'GET /api/v1/receipts/', 'GET /api/v1/my-bets/{id}'])
      expect([route, counts.get(route)?.get('200') ?? 0]).not.toEqual([route, 0])
  }, 180_000)

  it('answers or closes every connection, whatever comes through it', async () => {
    const { cases, findings } = await fuzzWire(target)
    expect(findings).toEqual([])
    expect(cases.length).toBeGreaterThan(40)
  }, 120_000)

  it(`hears ${SOCKETS} sockets that say anything, and those that only listen miss nothing`, async () => {
    const { frames, findings } = await fuzzSockets(target, SEED, SOCKETS)
    expect(findings, `npm run fuzz -- --seed ${SEED} --sockets ${SOCKETS}`).toEqual([])
    expect(frames).toBeGreaterThan(SOCKETS)
  }, 180_000)

  it('runs on, and logged no fault and no secret', () => {
    expect(target.server.program.hasEnded).toBe(false)
    expect(target.server.errorsLogged).toEqual([])
    for (const secret of target.secrets) expect(target.server.output).not.toContain(secret)
  })
})

describe('a judge', () => {
  const document: OpenApi = {
    paths: {
      '/thing/': {
        get: {
          responses: {
            200: {
              content: {
                'application/json': {
                  schema: { type: 'object', properties: { id: { type: 'number' } }, required: ['id'] },
                },
                'text/html': { schema: { type: 'string' } },
              },
            },
          },
        },
      },
    },
  }
  const operation = operationsOf(document)[0] as Operation
  const asked: Asked = {
    role: 'nobody',
    by: 'bearer',
    method: 'GET',
    inPath: {},
    pathEnd: '',
    query: [],
    queryEnd: '',
    headers: [],
    body: undefined,
    isChunked: false,
  }
  const token = `Bearer ${'t'.repeat(80)}`
  const sent: Sent = { method: 'GET', path: '/thing/', headers: [['Authorization', token]], body: undefined }
  const json = { 'content-type': 'application/json' }
  const page = {
    'content-type': 'text/html',
    'content-security-policy': "default-src 'none'",
    'x-content-type-options': 'nosniff',
  }
  const judged = (answer: Answered) => faultsOf(operation, asked, sent, answer, ['the secret'])

  it('has nothing against what is right', () => {
    expect(judged({ status: 200, headers: json, body: '{"id":1}' })).toEqual([])
    expect(judged({ status: 200, headers: page, body: '<p>a page</p>' })).toEqual([])
  })

  it.each<[string, Answered]>([
    ['a fault', { status: 500, headers: json, body: '{}' }],
    ['an undocumented status', { status: 404, headers: json, body: '{}' }],
    ['an undocumented kind', { status: 200, headers: { 'content-type': 'text/plain' }, body: 'x' }],
    ['what is no JSON', { status: 200, headers: json, body: '{"id":' }],
    ['a missing member', { status: 200, headers: json, body: '{}' }],
    ['a member of another type', { status: 200, headers: json, body: '{"id":"1"}' }],
    ['a member too many', { status: 200, headers: json, body: '{"id":1,"passwordHash":"x"}' }],
    ['markup of the request', { status: 200, headers: page, body: `<p>${MARKUP}></p>` }],
    ['a page without a policy', { status: 200, headers: { 'content-type': 'text/html' }, body: '' }],
    ['a secret', { status: 200, headers: page, body: 'here is the secret' }],
    ['the token', { status: 200, headers: page, body: token }],
    ['a cookie', { status: 200, headers: { ...json, 'set-cookie': ['galop_session=x'] }, body: '{"id":1}' }],
  ])('finds %s', (_what, answer) => {
    expect(judged(answer)).not.toEqual([])
  })

  it('finds that there is no answer', () => {
    expect(faultsOf(operation, asked, sent, { trouble: 'socket hang up' }, [])).toHaveLength(1)
  })

  it('finds a seed that was seen before its round was settled, and no other', () => {
    const seeds = new SeedWatch()
    const [early, right] = ['a'.repeat(64), 'b'.repeat(64)]
    seeds.see('here', `{"seed":"${early}"}`, 1_000)
    seeds.see('here', `{"seed":"${right}"}`, 3_000)
    const settled = (seed: string) => ({ settledAt: 2_000, result: { seed } })
    expect(seeds.leaked([settled(early)])).toHaveLength(1)
    expect(seeds.leaked([settled(right)])).toEqual([])
  })
})

describe('a run', () => {
  let server: Server
  const behave = async (listener: RequestListener): Promise<Target> => {
    server = createServer(listener)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const schema = { type: 'object', properties: { data: {} }, required: ['data'] }
    const paths = {
      '/api/v1/thing': { get: { responses: { 200: { content: { 'application/json': { schema } } } } } },
    }
    return {
      document: { paths },
      secrets: [],
      server: { url, output: '', errorsLogged: [], program: { hasEnded: false } },
      tokenFor: () => undefined,
      isOwnAccount: () => false,
      knownOne: () => '1',
      learn: () => {},
    } as unknown as Target
  }
  const data = JSON.stringify({ data: { rounds: [] } })
  const answer: RequestListener = (_request, response) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end(data)

  afterAll(() => server?.close())

  it('finds the one answer among hundreds that is wrong, and how to ask for it again', async () => {
    let count = 0
    const target = await behave((request, response) => {
      if (request.url?.startsWith('/api/v1/thing') && ++count === 150) response.writeHead(500).end('fault')
      else answer(request, response)
    })
    const { requests, findings } = await fuzzRequests(target, 7, 300)
    expect(requests).toBe(300)
    expect(findings.map(({ fault, times }) => [fault, times])).toContainEqual(['status 500', 1])
    expect(findings[0]!.curl).toMatch(/^curl .*thing/)
    server.close()
  })
})
