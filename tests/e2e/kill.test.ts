// The server is killed while a crowd sells and cancels; what was acknowledged must still be so.
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually, gone, startServer, type TestServer } from '../support/server.ts'
import { Crowd, type CrowdOptions, type Json, ON_ALL, type Sale, Station } from '../support/station.ts'

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
  const crowds: Crowd[] = []
  let story: Awaited<ReturnType<typeof tell>>

  beforeAll(async () => {
    server = await startServer({ env: DURATIONS })
    admin = await Station.signIn(server, 'admin')
    cashier = await Station.signIn(server, 'caisse')
    story = await tell(server, admin, cashier, crowds)
  }, 240_000)
  afterAll(async () => {
    await Promise.all(crowds.map((crowd) => crowd.stop()))
    await server?.stop()
  }, 60_000)

  it('meets requests under way each time, so that the test is about something', () => {
    expect(story.cuts.map(({ what }) => what)).toEqual(['selling', 'selling', 'running', 'selling'])
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
    const { acknowledged, lost, rows } = story.unkeyed
    expect(lost).toBeGreaterThan(0)
    expect(rows).toBeGreaterThanOrEqual(acknowledged)
    expect(rows).toBeLessThanOrEqual(acknowledged + lost)
  })

  it('gives its first answer again to whoever asks under the same key, across the kill', () => {
    expect(story.repeated.length).toBeGreaterThan(10)
    for (const [again, first] of story.repeated) expect(again).toBe(first)
  })

  it('holds in memory after a kill what Postgres holds in the end', () => {
    const { recovered, rows } = story
    const valid = [...rows.receipts.values()].filter(
      ({ roundId, status }) => roundId === recovered.id && status !== 'cancelled',
    )
    expect(valid.length).toBeGreaterThan(100)
    expect(recovered.stats).toMatchObject({
      totalReceipts: valid.length,
      totalMise: valid.reduce((sum, { total }) => sum + total, 0),
    })
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

const byTheHundred = (_sale: Sale, index: number): boolean => index % 100 === 0

type Cut = {
  readonly what: 'selling' | 'running'
  readonly before: Json
  readonly after: Json
  settled?: Json
  readonly back: number
  readonly unknown: number
  readonly postmaster: number
  readonly postmasterAfter: number
}

/** Kills the server three times while it sells and once while a race runs; then lets everything come to its end. */
const tell = async (server: TestServer, admin: Station, cashier: Station, crowds: Crowd[]) => {
  const cuts: Cut[] = []
  const gather = (station: Station, options: Partial<CrowdOptions> = {}): Crowd => {
    const crowd = new Crowd(station, { clients: CLIENTS, cancelEvery: 4, ...options })
    crowds.push(crowd)
    return crowd
  }
  const soldMore = (crowd: Crowd) => {
    const count = crowd.with('acknowledged').length
    return eventually(
      'a few hundred more are sold',
      () => crowd.with('acknowledged').length > count + 250,
      60_000,
    )
  }
  const cut = async (what: Cut['what'], crowd: Crowd): Promise<Cut> => {
    const { data: before } = await admin.ask('/api/v1/rounds/current')
    const postmaster = await postmasterOf(server)
    const unknownBefore = crowd.with('unknown').length
    await server.kill('SIGKILL')
    expect(gone(postmaster)).toBe(false)
    if (what === 'running') await eventually('its race would be over', () => Date.now() > before.endsAt)
    await server.restart()
    const { data: after } = await admin.ask(`/api/v1/rounds/${before.id}`)
    const made = {
      what,
      before,
      after,
      back: Date.now(),
      // Those that are on their way at this moment count as unknown until they are answered.
      unknown: crowd.with('unknown').length - unknownBefore,
      postmaster,
      postmasterAfter: await postmasterOf(server),
    }
    cuts.push(made)
    return made
  }
  const sellThroughAKill = async (): Promise<Cut> => {
    await admin.openRound(3_000)
    const crowd = gather(cashier)
    await soldMore(crowd)
    const made = await cut('selling', crowd)
    await soldMore(crowd)
    await crowd.stop()
    return made
  }

  await admin.openRound(4_000)
  const winning = await cashier.sold(ON_ALL)
  await sellThroughAKill()
  await sellThroughAKill()

  const crowd = gather(cashier)
  await eventually('a race runs', async () => {
    const { data } = await admin.ask('/api/v1/rounds/current')
    return data?.status === 'running'
  })
  const running = await cut('running', crowd)
  running.settled = await admin.untilRound(running.before.id, 'settled')
  await crowd.stop()

  // One crowd more, without keys: what it never heard of may be there or not.
  await admin.openRound(5_000)
  const unkeyed = gather(admin, { clients: 16, cancelEvery: 0, keys: false })
  const lastCut = await sellThroughAKill()
  await unkeyed.stop()
  const payments: string[] = []
  for (let count = 0; count < 2; count++) {
    // Where the kill came while the round was being handed over, nobody knows for a moment who owns it.
    const { status, code } = await eventually('the payment is decided', async () => {
      const answer = await cashier.pay(winning.id)
      return answer.status !== 503 && answer
    })
    payments.push([status, code].filter(Boolean).join(' '))
  }
  let asked = 0
  for (const one of crowds) asked += await one.settleUnknown()
  const repeated = []
  for (const { bets, key, id } of crowds.flatMap((one) => one.with('acknowledged').filter(byTheHundred))) {
    const { data } = key === undefined ? { data: { id } } : await cashier.sell(bets, { key })
    repeated.push([data?.id, id])
  }
  const { data: recovered } = await admin.ask(`/api/v1/rounds/${lastCut.before.id}`)

  const sales = crowds.filter((one) => one !== unkeyed).flatMap((one) => one.sales)
  await admin.untilRetired(Math.max(...sales.map(({ roundId }) => roundId ?? 0)), 60_000)
  const persistence = await admin.untilStored()
  const rows = await rowsOf(await server.databaseUrl())
  const unkeyedIds = [...rows.receipts].filter(([, { user }]) => user === admin.user.id).map(([id]) => id)
  const { data } = await admin.myBets(`?user_id=${admin.user.id}`)
  expect(data.pagination.totalItems).toBe(unkeyedIds.length)
  return {
    cuts,
    sales,
    asked,
    unkeyed: {
      acknowledged: unkeyed.with('acknowledged').length,
      lost: unkeyed.with('unknown').length,
      rows: unkeyedIds.length,
    },
    others: [winning.id, ...unkeyedIds],
    repeated,
    recovered,
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

type Row = {
  readonly roundId: number
  readonly user: number
  readonly total: number
  readonly status: string
  readonly bets: string
}

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
      select receipts.*, string_agg(bets.number || ':' || bets.value, ' ' order by bets.number) as bets
      from receipts join bets using (receipt_id) group by receipts.receipt_id`
    const different = await sql`select round_id, discrepancy from rounds where discrepancy is not null`
    const counts = await sql`
      select round_id, fact_count, (select count(*) from facts where facts.round_id = rounds.round_id) as facts
      from rounds where retired_at is not null order by round_id`
    return {
      receipts: new Map(
        receipts.map(({ receipt_id, round_id, user_id, total_amount, status, bets }): [number, Row] => [
          receipt_id,
          { roundId: round_id, user: user_id, total: total_amount, status, bets },
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
