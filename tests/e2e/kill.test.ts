// The server is killed while a crowd sells and cancels; what was acknowledged must still be so.
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually, gone, startServer, type TestServer } from '../support/server.ts'
import { Crowd, type Json, ON_ALL, type Sale, Station } from '../support/station.ts'

const CLIENTS = 64
const DURATIONS = {
  ROUND_WAIT_DURATION_MS: '9000',
  BETTING_LOCK_DURATION_MS: '500',
  RACE_DURATION_MS: '1200',
  RESULTS_DURATION_MS: '600',
}

describe('a server that is killed while 64 clients sell and cancel', () => {
  let server: TestServer
  let admin: Station
  let cashier: Station
  let crowd: Crowd
  let story: Awaited<ReturnType<typeof tell>>

  beforeAll(async () => {
    server = await startServer({ env: DURATIONS })
    admin = await Station.signIn(server, 'admin')
    cashier = await Station.signIn(server, 'caisse')
    story = await tell(server, admin, cashier, (begun) => {
      crowd = begun
    })
  }, 180_000)
  afterAll(async () => {
    await crowd?.stop()
    await server?.stop()
  }, 60_000)

  it('meets requests under way each time, so that the test is about something', () => {
    expect(story.cuts.length).toBe(4)
    for (const { unknown } of story.cuts) expect(unknown).toBeGreaterThan(0)
    expect(story.sales.length).toBeGreaterThan(1_000)
    expect(story.sales.filter(({ cancel }) => cancel?.outcome === 'acknowledged').length).toBeGreaterThan(100)
  })

  it('goes on with the same round: its id, deadlines, field and commitment', () => {
    for (const { before, after } of story.cuts.filter(({ what }) => what === 'selling')) {
      const { id, locksAt, startsAt, endsAt, nextAt, commitment, participants } = before
      expect(after).toMatchObject({ id, locksAt, startsAt, endsAt, nextAt, commitment, participants })
    }
  })

  it('settles a race that ended while it was away, by the seed it had committed to', () => {
    const cut = story.cuts.find(({ what }) => what === 'running')!
    expect(cut.settled).toMatchObject({ status: 'settled', commitment: cut.before.commitment })
    expect(cut.back).toBeGreaterThan(cut.before.endsAt)
  })

  it('has every receipt that it acknowledged, once, with its bets', () => {
    const { rows, sales } = story
    const acknowledged = sales.filter(({ outcome }) => outcome === 'acknowledged')
    expect(new Set(acknowledged.map(({ id }) => id)).size).toBe(acknowledged.length)
    const wrong = acknowledged.filter((sale) => !isAsSold(rows.receipts.get(sale.id!), sale))
    expect(wrong).toEqual([])
  })

  it('has every cancellation that it acknowledged, and no other', () => {
    const { rows, sales } = story
    const wrong = sales.filter(({ id, outcome, cancel }) => {
      if (outcome !== 'acknowledged') return false
      const isCancelled = rows.receipts.get(id!)?.status === 'cancelled'
      return isCancelled !== (cancel?.outcome === 'acknowledged')
    })
    expect(wrong).toEqual([])
  })

  it('has nothing that nobody knows of, once everything unknown was asked again under its key', () => {
    const { rows, sales, asked, others } = story
    expect(asked).toBeGreaterThan(0)
    const known = new Set([...sales.map(({ id }) => id), ...others])
    expect([...rows.receipts.keys()].filter((id) => !known.has(id))).toEqual([])
    expect(
      sales.filter(({ outcome, cancel }) => outcome === 'unknown' || cancel?.outcome === 'unknown'),
    ).toEqual([])
  })

  it('keeps at most one receipt of a sale that was never answered, and lists it to the cashier', () => {
    const { unkeyed, unkeyedRows } = story
    expect(unkeyed.lost).toBeGreaterThan(0)
    expect(unkeyedRows).toBeGreaterThanOrEqual(unkeyed.acknowledged)
    expect(unkeyedRows).toBeLessThanOrEqual(unkeyed.acknowledged + unkeyed.lost)
  })

  it('pays what was won before the kill exactly once after it', () => {
    expect(story.payments).toEqual(['200', '409 RECEIPT_ALREADY_PAID'])
  })

  it('leaves rows that are exactly what the facts say, and raises no alarm', () => {
    const { rows, persistence } = story
    expect(rows.different).toEqual([])
    expect(rows.unreconciled).toBe(0)
    expect(rows.facts).toEqual(rows.factCounts)
    expect(persistence).toMatchObject({ unstored: { receipts: 0, amount: 0 }, failedJobs: 0, alarms: [] })
    expect(server.errorsLogged).toEqual([])
  })

  it('takes over the Postgres that each killed server left behind', () => {
    for (const { postmaster, postmasterAfter } of story.cuts) expect(postmasterAfter).toBe(postmaster)
    expect(server.output.match(/still running from before/g)).toHaveLength(story.cuts.length)
  })
})

type Cut = {
  readonly what: string
  readonly before: Json
  readonly after: Json
  settled?: Json
  readonly back: number
  readonly unknown: number
  readonly postmaster: number
  readonly postmasterAfter: number
}

const tell = async (
  server: TestServer,
  admin: Station,
  cashier: Station,
  onCrowd: (crowd: Crowd) => void,
) => {
  const cuts: Cut[] = []
  const cut = async (what: string, crowd: Crowd): Promise<Cut> => {
    const { data: before } = await admin.ask('/api/v1/rounds/current')
    const unknownBefore = crowd.with('unknown').length
    const postmaster = await postmasterOf(server)
    await server.kill('SIGKILL')
    expect(gone(postmaster)).toBe(false)
    await server.restart()
    const { data: after } = await admin.ask(`/api/v1/rounds/${before.id}`)
    const postmasterAfter = await postmasterOf(server)
    const unknown = crowd.with('unknown').length - unknownBefore
    const made = { what, before, after, back: Date.now(), unknown, postmaster, postmasterAfter }
    cuts.push(made)
    return made
  }
  const soldMore = (crowd: Crowd) => {
    const count = crowd.with('acknowledged').length
    return eventually('a few hundred more are sold', () => crowd.with('acknowledged').length > count + 250)
  }

  // First round: killed twice while it sells, and once while its race runs.
  const round = await admin.openRound(7_500)
  const winning = await cashier.sold(ON_ALL)
  const crowd = new Crowd(cashier, { clients: CLIENTS, restMs: 15, cancelEvery: 4 })
  onCrowd(crowd)
  await soldMore(crowd)
  await cut('selling', crowd)
  await soldMore(crowd)
  await cut('selling', crowd)
  await admin.untilRound(round.id, 'running')
  const running = await cut('running', crowd)
  running.settled = await admin.untilRound(round.id, 'settled')

  // Second round: a crowd without keys is cut off in the middle; what it never heard of may be there or not.
  await admin.openRound(6_000)
  const unkeyedCrowd = new Crowd(admin, { clients: 16, restMs: 15, cancelEvery: 0, keys: false })
  await soldMore(crowd)
  await cut('selling', crowd)
  await unkeyedCrowd.stop()
  const paid = [await cashier.pay(winning.id), await cashier.pay(winning.id)]
  const payments = paid.map(({ status, code }) => [status, code].filter(Boolean).join(' '))
  await soldMore(crowd)
  await crowd.stop()
  const asked = await crowd.settleUnknown()

  const last = Math.max(...crowd.sales.map(({ roundId }) => roundId ?? 0))
  await admin.untilRetired(last, 60_000)
  const persistence = await admin.untilStored()
  const unkeyed = {
    acknowledged: unkeyedCrowd.with('acknowledged').length,
    lost: unkeyedCrowd.with('unknown').length,
  }
  const rows = await rowsOf(await server.databaseUrl())
  const unkeyedIds = [...rows.receipts].filter(([, { user }]) => user === admin.user.id).map(([id]) => id)
  const { data } = await admin.myBets(`?user_id=${admin.user.id}`)
  expect(data.pagination.totalItems).toBe(unkeyedIds.length)
  return {
    cuts,
    sales: crowd.sales,
    asked,
    unkeyed,
    unkeyedRows: unkeyedIds.length,
    others: [winning.id, ...unkeyedIds],
    payments,
    persistence,
    rows,
  }
}

const postmasterOf = async (server: TestServer): Promise<number> => {
  const sql = postgres(await server.databaseUrl(), { max: 1 })
  try {
    const [row] = await sql`select pg_postmaster_start_time()`
    expect(row).toBeDefined()
    return await server.postmaster()
  } finally {
    await sql.end()
  }
}

type Row = { readonly user: number; readonly status: string; readonly bets: string }

const isAsSold = (row: Row | undefined, { bets }: Sale): boolean =>
  row?.bets ===
  [...bets]
    .sort(([one], [other]) => one - other)
    .map((bet) => bet.join(':'))
    .join(' ')

const rowsOf = async (databaseUrl: string) => {
  const sql = postgres(databaseUrl, {
    max: 1,
    types: { bigint: { to: 20, from: [20], serialize: String, parse: Number } },
  })
  try {
    const unreconciled = await eventually('all retired rounds are compared with their facts', async () => {
      const [row] = await sql`
        select count(*) as count from rounds where retired_at is not null and reconciled_at is null`
      return row!.count === 0 && { count: 0 }
    })
    const receipts = await sql`
      select receipt_id, user_id, status, string_agg(number || ':' || value, ' ' order by number) as bets
      from receipts join bets using (receipt_id) group by receipt_id`
    const different = await sql`select round_id, discrepancy from rounds where discrepancy is not null`
    const counts = await sql`
      select round_id, fact_count, (select count(*) from facts where facts.round_id = rounds.round_id) as facts
      from rounds where retired_at is not null order by round_id`
    return {
      receipts: new Map(
        receipts.map(({ receipt_id, user_id, status, bets }): [number, Row] => [
          receipt_id,
          { user: user_id, status, bets },
        ]),
      ),
      different: [...different],
      unreconciled: unreconciled.count,
      facts: counts.map(({ round_id, facts }) => [round_id, facts]),
      factCounts: counts.map(({ round_id, fact_count }) => [round_id, fact_count]),
    }
  } finally {
    await sql.end()
  }
}
