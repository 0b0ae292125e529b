// The books of all clients against everything that the server says: its answers, the rows, the cache, its own figures.
import { Redis } from 'ioredis'
import postgres from 'postgres'
import { eventually } from '../tests/support/server.ts'
import type { Json, Sale } from '../tests/support/station.ts'
import { faultUnless } from './attack.ts'
import type { Shop } from './shop.ts'

export type Row = {
  readonly roundId: number
  readonly total: number
  readonly prize: number
  readonly status: string
  readonly bets: string
  readonly soldAt: number
  readonly locksAt: number
}

export type Reckoning = {
  readonly faults: readonly string[]
  readonly figures: Readonly<Record<string, number>>
}

const MOST_OF_A_KIND = 5
const WAIT_MS = 90_000
/** A comparison that was lost on its way is asked for again after a minute; one that a killed server had begun, later. */
const COMPARED_MS = 180_000
/** Amounts over HTTP are in the public unit here and there: hundredths of the smallest. */
const PUBLIC = 100

/** Alarms of the shop. A clock that was set and a full disk are the attack's own doing. */
const alarmsOf = ({ alarms }: Json): Json[] =>
  alarms.filter(({ code }: Json) => !['DISK', 'CLOCK_JUMPED', 'CLOCK_DIFFERS'].includes(code))

/** Ends all selling, asks again what is unknown, waits until everything arrived, and compares. */
export const reckon = async (shop: Shop): Promise<Reckoning> => {
  const { admin, cashier, server, sockets, postgres: store, redis } = shop.parts
  await Promise.all(shop.crowds.map((crowd) => crowd.stop()))
  let asked = shop.crowds.reduce((sum, { askedAgain }) => sum + askedAgain, 0)
  for (const crowd of shop.crowds) {
    // Where a race or an outage has just ended, an answer may still be "in a moment".
    await eventually(
      'everything unknown is known',
      async () => {
        asked += await crowd.settleUnknown()
        return unknownIn(crowd.sales) === 0
      },
      WAIT_MS,
    )
  }
  const sales = shop.crowds.flatMap((crowd) => crowd.sales)
  const acknowledged = sales.filter(({ outcome }) => outcome === 'acknowledged')
  const lastRound = acknowledged.reduce((last, { roundId = 0 }) => Math.max(last, roundId), 0)
  await eventually(
    'all rounds are handed over',
    async () => {
      const { data } = await admin.persistence()
      if (data.journal.rounds.some(({ roundId }: Json) => roundId <= lastRound))
        throw new Error(JSON.stringify(data))
      return true
    },
    WAIT_MS,
  )
  await admin.untilStored(WAIT_MS)
  // Jobs that a killed server had begun are begun again after half a minute.
  let persistence: Json
  const isQuiet = await eventually(
    'no alarm and no job is left',
    async () => {
      persistence = (await admin.persistence()).data
      const counts = Object.values(persistence.jobs ?? {}) as Record<string, number>[]
      const left = counts.reduce(
        (sum, { waiting = 0, active = 0, delayed = 0 }) => sum + waiting + active + delayed,
        0,
      )
      return alarmsOf(persistence).length === 0 && persistence.jobs !== null && left === 0
    },
    WAIT_MS,
  ).catch(() => false)
  const { rows, different } = await rowsOf(store.url)
  const cached = await compareCache(redis.url, rows)
  const faults = [
    ...compareRows(acknowledged, rows),
    ...compareUnknown(sales, rows),
    ...(await compareList(cashier, rows)),
    ...cached.faults,
    ...different,
    ...faultUnless(
      isQuiet,
      `alarms or jobs are left: ${JSON.stringify([alarmsOf(persistence), persistence.jobs])}`,
    ),
    ...faultUnless(persistence.failedJobs === 0, `${persistence.failedJobs} jobs failed`),
    ...faultUnless(persistence.unstored.amount === 0, 'ops/persistence says that something is not stored'),
    ...sockets.faults,
    ...faultUnless(sockets.toldTwice === 0, `${sockets.toldTwice} receipts were told of twice as new`),
    ...server.errorsLogged.filter((line) => !EXPECTED_ERRORS.includes(line)).map((line) => `logged: ${line}`),
  ]
  const payments = sales.flatMap((sale) => sale.payments ?? [])
  const is = (outcome: string) => (one: { outcome: string } | undefined) => one?.outcome === outcome
  return {
    faults,
    figures: {
      sold: acknowledged.length,
      cancelled: acknowledged.filter(({ cancel }) => is('acknowledged')(cancel)).length,
      paid: payments.filter(is('acknowledged')).length,
      refused: sales.filter(is('refused')).length,
      'asked again': asked,
      'rows compared': rows.size,
      'cached rounds compared': cached.rounds,
      messages: sockets.counts.messages,
      recoveries: sockets.counts.recoveries,
      snapshots: sockets.counts.snapshots,
    },
  }
}

/** What the log says of a journal that cannot write is part of the attack on it. */
const EXPECTED_ERRORS = ['the journal cannot write; nothing is sold']

const unknownIn = (sales: readonly Sale[]): number =>
  sales.filter(
    ({ outcome, cancel, payments = [] }) =>
      outcome === 'unknown' ||
      cancel?.outcome === 'unknown' ||
      payments.some((one) => one.outcome === 'unknown'),
  ).length

/** The first few of many faults of a kind, and how many there are. */
const some = (kind: string, all: readonly string[]): string[] =>
  all.length === 0 ? [] : [`${all.length} × ${kind}: ${all.slice(0, MOST_OF_A_KIND).join('; ')}`]

const betsOf = ({ bets }: Sale): string =>
  [...bets]
    .sort(([one], [other]) => one - other)
    .map((bet) => bet.join(':'))
    .join(' ')

const compareRows = (acknowledged: readonly Sale[], rows: ReadonlyMap<number, Row>): string[] => {
  const lost: string[] = []
  const wrong: string[] = []
  const cancels: string[] = []
  const payments: string[] = []
  for (const sale of acknowledged) {
    const row = rows.get(sale.id!)
    if (!row) {
      lost.push(`${sale.id} of round ${sale.roundId}`)
      continue
    }
    const total = sale.bets.reduce((sum, [, value]) => sum + value, 0)
    if (row.bets !== betsOf(sale) || row.total !== total || row.roundId !== sale.roundId)
      wrong.push(
        `${sale.id} is ${row.bets} of round ${row.roundId}, sold as ${betsOf(sale)} of ${sale.roundId}`,
      )
    if (row.soldAt >= row.locksAt)
      wrong.push(`${sale.id} was sold ${row.soldAt - row.locksAt} ms after the lock`)
    if ((row.status === 'cancelled') !== (sale.cancel?.outcome === 'acknowledged'))
      cancels.push(`${sale.id} is ${row.status}, its cancellation ${sale.cancel?.outcome ?? 'never asked'}`)
    const paid = (sale.payments ?? []).filter(({ outcome }) => outcome === 'acknowledged')
    if (paid.length > 1) payments.push(`${sale.id} was paid ${paid.length} times`)
    if ((row.status === 'paid') !== (paid.length === 1))
      payments.push(`${sale.id} is ${row.status}, acknowledged payments ${paid.length}`)
    if (paid[0] && paid[0].prize !== row.prize / PUBLIC)
      payments.push(`${sale.id} was paid ${paid[0].prize}, its prize is ${row.prize / PUBLIC}`)
  }
  const ids = acknowledged.map(({ id }) => id)
  return [
    ...some('acknowledged and lost', lost),
    ...some('not as it was sold', wrong),
    ...some('cancelled or not', cancels),
    ...some('paid or not', payments),
    ...faultUnless(new Set(ids).size === ids.length, 'a receipt number was given out twice'),
  ]
}

/** What nobody was told of must not be there. */
const compareUnknown = (sales: readonly Sale[], rows: ReadonlyMap<number, Row>): string[] => {
  const known = new Set(sales.map(({ id }) => id))
  const strange = [...rows]
    .filter(([id]) => !known.has(id))
    .map(([id, row]) => `${id} of round ${row.roundId}`)
  return some('receipt that nobody was told of', strange)
}

const compareList = async (
  cashier: Shop['parts']['cashier'],
  rows: ReadonlyMap<number, Row>,
): Promise<string[]> => {
  const listed = new Map<number, Json>()
  for (let page = 1; ; page++) {
    // Where Postgres is slow for a moment, the list says that it is not complete.
    const data = await eventually(`page ${page} of my-bets is complete`, async () => {
      const answer = await cashier.myBets(`?limit=200&page=${page}`)
      return answer.data?.history === 'complete' && answer.data
    })
    for (const ticket of data.tickets) listed.set(ticket.id, ticket)
    if (page >= data.pagination.totalPages) break
  }
  const wrong: string[] = []
  let valid = 0
  for (const [id, row] of rows) {
    if (row.status === 'cancelled') {
      if (listed.has(id)) wrong.push(`${id} is cancelled and listed`)
      continue
    }
    valid++
    const ticket = listed.get(id)
    if (!ticket) wrong.push(`${id} is not listed`)
    else if (ticket.status !== row.status || ticket.total_amount !== row.total / PUBLIC)
      wrong.push(`${id} is listed as ${ticket.status} ${ticket.total_amount}`)
  }
  return [
    ...some('my-bets', wrong),
    ...faultUnless(listed.size === valid, `my-bets lists ${listed.size} of ${valid}`),
  ]
}

const compareCache = async (url: string, rows: ReadonlyMap<number, Row>) => {
  const cache = new Redis(url)
  const wrong: string[] = []
  let rounds = 0
  try {
    const byRound = new Map<number, Map<number, Row>>()
    for (const [id, row] of rows) {
      const round = byRound.get(row.roundId) ?? new Map<number, Row>()
      byRound.set(row.roundId, round.set(id, row))
    }
    for (const [roundId, of] of byRound) {
      const text = await cache.get(`round:${roundId}:data`)
      // It may forget a round, but only whole.
      if (text === null) continue
      rounds++
      const { receipts, stats } = JSON.parse(text) as Json
      const valid = [...of].filter(([, { status }]) => status !== 'cancelled')
      const mise = valid.reduce((sum, [, { total }]) => sum + total, 0)
      if (
        stats.totalReceipts !== valid.length ||
        stats.totalMise !== mise ||
        receipts.length !== valid.length
      )
        wrong.push(
          `round ${roundId} has ${receipts.length} receipts, ${stats.totalMise}; not ${valid.length}, ${mise}`,
        )
      for (const { id, status } of receipts)
        if (of.get(id)?.status !== status) wrong.push(`${id} is ${status}, not ${of.get(id)?.status}`)
    }
  } finally {
    cache.disconnect()
  }
  return { rounds, faults: some('cache', wrong) }
}

const rowsOf = async (url: string) => {
  const sql = postgres(url, {
    max: 1,
    types: { bigint: { to: 20, from: [20], serialize: String, parse: Number } },
  })
  try {
    await eventually(
      'all retired rounds are compared with their facts',
      async () => {
        const [row] = await sql`
          select count(*) as count from rounds where retired_at is not null and reconciled_at is null`
        if (row!.count !== 0) throw new Error(`${row!.count} are not`)
        return true
      },
      COMPARED_MS,
    )
    const found = await sql`
      select receipts.*, rounds.locks_at, string_agg(bets.number || ':' || bets.value, ' ' order by bets.number) as bets
      from receipts join bets using (receipt_id) join rounds on rounds.round_id = receipts.round_id
      group by receipts.receipt_id, rounds.locks_at`
    const differing = await sql`select round_id, discrepancy from rounds where discrepancy is not null`
    const rows = new Map(
      found.map((row): [number, Row] => [
        row.receipt_id,
        {
          roundId: row.round_id,
          total: row.total_amount,
          prize: row.prize,
          status: row.status,
          bets: row.bets,
          soldAt: row.created_at.getTime(),
          locksAt: row.locks_at.getTime(),
        },
      ]),
    )
    const different = differing.map(
      ({ round_id, discrepancy }) => `round ${round_id} differs: ${discrepancy}`,
    )
    return { rows, different }
  } finally {
    await sql.end()
  }
}
