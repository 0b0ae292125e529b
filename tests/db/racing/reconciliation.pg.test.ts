import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Sql } from '../../../src/db/postgres.ts'
import { receiptsArchive } from '../../../src/db/racing/receipts.archive.ts'
import {
  discrepancies,
  recordReconciliation,
  roundsWithDiscrepancy,
  storedFacts,
  unreconciledRounds,
} from '../../../src/db/racing/reconciliation.queries.ts'
import { CASHIER, openRacingDatabase, project, type RacingDatabase, withoutGuard } from './racing.database.ts'
import { FIELD, type History, historyOf, type Move, receiptId } from './round.history.ts'

const ROUND = 42
const OTHER_ROUND = 43
const WINNER = historyOf({}, { roundId: ROUND }).round.settled!.order[0]!
const LOSER = 1 + (WINNER % 6)
let database: RacingDatabase
let sql: Sql

const sale = (...numbers: number[]): Move => ({
  do: 'sell',
  by: 7,
  bets: numbers.map((number) => ({ number, stake: 1_000 })),
})
const WON = receiptId(ROUND, 1)
const LOST = receiptId(ROUND, 2)
const CANCELLED = receiptId(ROUND, 3)
const PAID = receiptId(ROUND, 4)

/** A receipt of each kind; one more was paid from the archive. */
const round = historyOf(
  {
    whileOpen: [
      sale(WINNER, LOSER),
      sale(LOSER),
      sale(WINNER),
      { do: 'cancel', by: 1, which: 2 },
      sale(WINNER),
      sale(WINNER),
    ],
    afterwards: [
      { do: 'pay', by: 7, which: 3 },
      { do: 'print', by: 7, which: 0 },
    ],
  },
  { roundId: ROUND },
)
const other = historyOf({ whileOpen: [sale(1), sale(2)] }, { roundId: OTHER_ROUND })

const retire = async ({ roundId, facts, round }: History) =>
  receiptsArchive(sql).takeOver({ id: roundId, factCount: facts.length, winner: round.settled!.order[0]! })

beforeAll(async () => {
  database = await openRacingDatabase()
  sql = database.sql
  for (const history of [round, other]) {
    await project(sql, history)
    expect(await retire(history)).toBe('taken')
  }
  await receiptsArchive(sql).ask(
    { type: 'PayReceipt', by: CASHIER, id: receiptId(ROUND, 5) },
    3_000_000,
    '7/k',
  )
})
afterAll(() => database.close())

/** What is found in a database that was damaged so. The damage is undone afterwards. */
const foundAfter = async (...damage: string[]): Promise<string[]> => {
  let found: string[] = []
  const undo = new Error('undo')
  const damaged = withoutGuard(sql, async (tx) => {
    for (const statement of damage) await tx.unsafe(statement)
    found = await discrepancies(tx, ROUND)
    throw undo
  })
  await expect(damaged).rejects.toBe(undo)
  return found
}

describe('comparing a retired round with its facts', () => {
  it('finds nothing where nothing is wrong', async () => {
    expect(await discrepancies(sql, ROUND)).toEqual([])
    expect(await discrepancies(sql, OTHER_ROUND)).toEqual([])
    expect(await foundAfter()).toEqual([])
  })

  it('finds nothing in a round on which nobody bet', async () => {
    const empty = historyOf({}, { roundId: 44 })
    await project(sql, empty)
    await retire(empty)
    expect(await discrepancies(sql, 44)).toEqual([])
  })

  it('finds a receipt that is missing', async () => {
    expect(
      await foundAfter(
        `delete from bets where receipt_id = ${WON}`,
        `delete from receipts where receipt_id = ${WON}`,
      ),
    ).toEqual(['1 receipts missing', '2 bets that differ'])
  })

  it('finds a receipt that nobody sold, and one that came from another round', async () => {
    const columns = 'user_id, total_amount, prize, status, created_at, fact_number, retired'
    expect(
      await foundAfter(
        `insert into receipts (receipt_id, round_id, ${columns}) select 77, round_id, ${columns} from receipts where receipt_id = ${LOST}`,
      ),
    ).toEqual(['1 receipts that nobody sold'])
    expect(
      await foundAfter(
        `update receipts set round_id = ${ROUND} where receipt_id = ${receiptId(OTHER_ROUND, 1)}`,
      ),
    ).toEqual(['1 receipts that nobody sold', '1 bets that differ'])
  })

  const changes: [change: string, of: number, found: string[]][] = [
    ['user_id = 8', WON, ['1 receipts of another seller']],
    ['total_amount = total_amount + 1', WON, ['1 receipts with another total']],
    ['total_amount = total_amount + 1', CANCELLED, ['1 receipts with another total']],
    ["status = 'lost'", WON, ['1 receipts with another status']],
    ["status = 'won'", LOST, ['1 receipts with another status']],
    ["status = 'won', closed_by = null, closed_at = null", PAID, ['1 receipts with another status']],
    ["status = 'paid', closed_by = 7, closed_at = now()", WON, ['1 receipts with another status']],
    ["status = 'paid'", CANCELLED, ['1 receipts with another status']],
    ['prize = prize + 1', WON, ['1 receipts with another prize']],
    ['prize = 0', PAID, ['1 receipts with another prize']],
    ['prize = 1', LOST, ['1 receipts with another prize']],
  ]
  it.each(changes)('finds a receipt changed by %s (%i)', async (change, id, found) => {
    expect(await foundAfter(`update receipts set ${change} where receipt_id = ${id}`)).toEqual(found)
  })

  it.each([
    ['value = value + 1', ['1 bets that differ']],
    ['prize = prize - 1', ['1 bets that differ']],
    [
      `number = ${FIELD.find(({ number }) => ![WINNER, LOSER].includes(number))!.number}`,
      ['2 bets that differ'],
    ],
  ])('finds a bet changed by %s', async (change, found) => {
    expect(
      await foundAfter(`update bets set ${change} where receipt_id = ${WON} and number = ${WINNER}`),
    ).toEqual(found)
  })

  it('finds a bet that is missing, and one too many', async () => {
    expect(await foundAfter(`delete from bets where receipt_id = ${WON} and number = ${LOSER}`)).toEqual([
      '1 bets that differ',
    ])
    expect(
      await foundAfter(
        `insert into bets (receipt_id, number, round_id, place, value, prize) values (${LOST}, ${WINNER}, ${ROUND}, 9, 5, 5)`,
      ),
    ).toEqual(['1 bets that differ'])
  })

  it('finds a receipt that was paid twice', async () => {
    const last = round.facts.length + 1
    expect(
      await foundAfter(
        `insert into facts (round_id, number, type, body)
          select round_id, number + 1, type, body from facts where round_id = ${ROUND} and number = ${last}`,
        `update rounds set fact_count = fact_count + 1 where round_id = ${ROUND}`,
      ),
    ).toEqual(['1 payments twice'])
  })

  it('finds facts that are missing, and facts too many', async () => {
    const printed = round.facts.findIndex((fact) => fact.type === 'ReceiptPrinted') + 1
    expect(await foundAfter(`delete from facts where round_id = ${ROUND} and number = ${printed}`)).toEqual([
      '1 facts missing',
    ])
    expect(
      await foundAfter(
        `insert into facts (round_id, number, type, body) values (${ROUND}, 999, 'ReceiptPrinted', '{}')`,
      ),
    ).toEqual(['1 facts too many'])
  })

  it('finds facts that were changed', async () => {
    const sold = round.facts.findIndex((fact) => fact.type === 'ReceiptSold') + 1
    expect(
      await foundAfter(
        `update facts set body = jsonb_set(body, '{sale,bets,0,stake}', '5') where round_id = ${ROUND} and number = ${sold}`,
      ),
    ).toEqual(['1 receipts with another total', '1 bets that differ', '1 sums of the round that differ'])
  })

  it.each(['receipt_count', 'stakes', 'prizes'])("finds the round's own %s changed", async (sum) => {
    expect(await foundAfter(`update rounds set ${sum} = ${sum} + 1 where round_id = ${ROUND}`)).toEqual([
      '1 sums of the round that differ',
    ])
  })
})

describe('what was found', () => {
  it('is recorded with its round, and cleared when the round is compared again after its repair', async () => {
    expect(await unreconciledRounds(sql)).toEqual([])
    await sql`update rounds set retired_at = retired_at - interval '2 minutes'`
    expect(await unreconciledRounds(sql)).toEqual([ROUND, OTHER_ROUND, 44])
    for (const roundId of [ROUND, OTHER_ROUND, 44])
      await recordReconciliation(sql, roundId, await discrepancies(sql, roundId))
    expect(await unreconciledRounds(sql)).toEqual([])
    expect(await roundsWithDiscrepancy(sql)).toEqual([])

    await sql`update receipts set prize = prize + 1, total_amount = total_amount + 1 where receipt_id = ${WON}`
    await recordReconciliation(sql, ROUND, await discrepancies(sql, ROUND))
    expect(await roundsWithDiscrepancy(sql)).toEqual([
      { roundId: ROUND, discrepancy: '1 receipts with another total, 1 receipts with another prize' },
    ])

    await sql`update receipts set prize = prize - 1, total_amount = total_amount - 1 where receipt_id = ${WON}`
    await recordReconciliation(sql, ROUND, await discrepancies(sql, ROUND))
    expect(await roundsWithDiscrepancy(sql)).toEqual([])
  })
})

describe('the facts stored', () => {
  it('are told by the numbers of each round', async () => {
    const stored = await storedFacts(sql, [OTHER_ROUND, 999])
    expect([...stored.keys()]).toEqual([OTHER_ROUND])
    expect(stored.get(OTHER_ROUND)!.sort((a, b) => a - b)).toEqual(other.facts.map((_, i) => i + 1))
  })
})
