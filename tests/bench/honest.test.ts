import { createServer, type Server } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { load } from '../../bench/load.ts'
import { openLoad } from '../../bench/open.load.ts'
import { selling } from '../../bench/sale.ts'
import { runLoad, runOpenLoad } from '../../bench/servers.ts'
import { figure, middle, outcomeOf, tableOf } from '../../bench/table.ts'

// A bench that counts errors as work, or hides a pause, is broken: here are servers that do both.

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections()
})

type Reply = { readonly status: number; readonly text: string }
const SOLD = { status: 200, text: '{"success":true,"data":{"id":1010101,"roundId":1}}' }

/** A counter that answers as it is told. @returns what the generators ask it */
const counter = async (answer: (nth: number) => Reply | Promise<Reply>) => {
  let nth = 0
  const server = createServer(async (request, response) => {
    request.resume()
    const { status, text } = await answer(++nth)
    response.writeHead(status, { 'Content-Length': Buffer.byteLength(text) }).end(text)
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return selling({ port: typeof address === 'object' && address ? address.port : 0, token: 'any' })
}

const closed = { connections: 4, warmUpMs: 50, durationMs: 200 }
const open = { perSecond: 200, warmUpMs: 100, durationMs: 600 }

describe('a load generator', () => {
  it('counts what was sold', async () => {
    const sold = await load({ ...closed, ...(await counter(() => SOLD)) })
    expect(sold.errors).toBe(0)
    expect(sold.answers).toBeGreaterThan(10)
  })

  it('ends after so many answers where that is asked for', async () => {
    let answered = 0
    const asked = await counter(() => {
      answered++
      return SOLD
    })
    const sold = await load({ ...closed, ...asked, durationMs: 20_000, mostAnswers: 100 })
    expect(sold.allAnswers).toBeGreaterThanOrEqual(100)
    expect(sold.allAnswers).toBeLessThanOrEqual(100 + closed.connections)
    expect(answered).toBe(sold.allAnswers)
  })

  it.each([
    ['errors', { status: 500, text: '{"success":false,"error":{"code":"INTERNAL"}}' }],
    ['refusals', { status: 409, text: '{"success":false,"error":{"code":"BETTING_LOCKED"}}' }],
    ['success without a receipt', { status: 200, text: '{"success":true}' }],
  ])('fails the row where a server answers %s', async (_, reply) => {
    const asked = await counter(() => reply)
    await expect(runLoad({ ...closed, ...asked })).rejects.toThrow('answers were wrong')
    await expect(runOpenLoad({ ...open, ...asked })).rejects.toThrow('answers were wrong')
  })

  it('fails the row where one answer of many is wrong', async () => {
    const asked = await counter((nth) => (nth === 30 ? { status: 500, text: '{"success":false}' } : SOLD))
    await expect(runLoad({ ...closed, ...asked })).rejects.toThrow('1 of')
  })

  it('counts from when a question was due, so that a pause makes all of them late who came in it', async () => {
    let pausesUntil = 0
    const asked = await counter(async (nth) => {
      if (nth === 60) pausesUntil = performance.now() + 300
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, pausesUntil - performance.now())))
      return SOLD
    })
    const { maxMs, p99Ms, answers } = await openLoad({ ...open, ...asked })
    expect(maxMs).toBeGreaterThan(250)
    expect(p99Ms).toBeGreaterThan(200)
    expect(answers).toBeGreaterThan(100)
  })
})

describe('the table', () => {
  const row = { number: 1, work: 'sell' }
  const comparison = {
    against: 'an echo',
    unit: '/s',
    ours: [50, 60, 90],
    theirs: [100, 100, 100],
    reach: { atLeast: 0.65 },
    notes: ['a | b'],
  }

  it('tells the middle ratio, the spread, and whether it is reached', () => {
    const [, , line] = tableOf([{ row, comparisons: [comparison] }]).split('\n')
    expect(line).toBe(
      '| 1 | sell | an echo | 60.0 /s | 100 /s | **0.600** | 0.500–0.900 | ≥ 0.65 | **no** | a \\| b |',
    )
    expect(outcomeOf({ ...comparison, reach: { atMost: 0.6 } }).isReached).toBe(true)
  })

  it.each([
    ['nothing was measured', [], []],
    ['a turn is missing', [1], [1, 2]],
    ['one did nothing', [0], [1]],
    ['one is no number', [Number.NaN], [1]],
  ])('is refused where %s', (_, ours, theirs) => {
    expect(() => outcomeOf({ ...comparison, ours, theirs })).toThrow('no sane figures')
  })

  it('shows a row that failed', () => {
    expect(tableOf([{ row, comparisons: [], fault: 'it broke' }])).toContain('**failed** | it broke')
  })

  it('finds the middle and rounds to what counts', () => {
    expect([middle([3, 1, 2]), middle([4, 1, 2, 3])]).toEqual([2, 2.5])
    expect([12_345.6, 123.45, 1.2345, 0.012345, 0].map(figure)).toEqual([
      '12,346',
      '123',
      '1.23',
      '0.0123',
      '0',
    ])
  })
})
