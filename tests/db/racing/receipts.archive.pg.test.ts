import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Archive } from '../../../src/actors/racing/archive.port.ts'
import { Unavailable } from '../../../src/actors/unavailable.port.ts'
import { connectPostgres, type Sql } from '../../../src/db/postgres.ts'
import { receiptsArchive } from '../../../src/db/racing/receipts.archive.ts'
import { discrepancies } from '../../../src/db/racing/reconciliation.queries.ts'
import type { Person, ReceiptCommand } from '../../../src/domain/racing/decide.ts'
import type { ReceiptView } from '../../../src/domain/racing/receipt-view.ts'
import { isRefusal, type Refusal } from '../../../src/domain/racing/refusals.ts'
import { Cable } from '../../support/cable.ts'
import {
  ADMIN,
  CASHIER,
  countedTotals,
  keptTotals,
  OTHER_CASHIER,
  openRacingDatabase,
  project,
  type RacingDatabase,
  wipe,
} from './racing.database.ts'
import { FIELD, type History, historyOf, type Move, receiptId, winners } from './round.history.ts'

const ROUND = 42
const NOW = 2_000_000
let database: RacingDatabase
let sql: Sql
let archive: Archive

beforeAll(async () => {
  database = await openRacingDatabase()
  sql = database.sql
  archive = receiptsArchive(sql)
})
beforeEach(() => wipe(sql))
afterAll(() => database.close())

const handOver = ({ roundId, facts, round }: History, to = archive) =>
  to.takeOver({ id: roundId, factCount: facts.length, winner: round.settled!.order[0]! })

const retired = async (history: History): Promise<History> => {
  await project(sql, history)
  expect(await handOver(history)).toBe('taken')
  return history
}

const asked = (type: ReceiptCommand['type'], id: number, by: Person = CASHIER): ReceiptCommand => ({
  type,
  id,
  by,
})
const pay = (
  id: number,
  { by = CASHIER, key, to = archive }: { by?: Person; key?: string; to?: Archive } = {},
) => to.ask(asked('PayReceipt', id, by), NOW, key)

const factsAfter = async (history: History) => [
  ...(await sql<{ number: number; type: string; id: number; by: number }[]>`
    select number, type, (body ->> 'id')::bigint as id, (body ->> 'by')::bigint as by
    from facts where round_id = ${history.roundId} and number > ${history.facts.length} order by number`),
]

/** What must hold whatever happened: sums agree with receipts, and rows with facts. */
const everythingAgrees = async (): Promise<void> => {
  expect(await keptTotals(sql)).toEqual(await countedTotals(sql))
  expect(await discrepancies(sql, ROUND)).toEqual([])
}

const refusalOf = (answer: ReceiptView | Refusal): string | undefined =>
  isRefusal(answer) ? answer.refused : undefined

describe('paying from the archive', () => {
  it('A1 A2: pays exactly once when twenty ask at the same time over several connections', async () => {
    const history = await retired(winners(1, { roundId: ROUND }))
    const id = receiptId(ROUND, 1)
    const others = [1, 2, 3].map(() => connectPostgres(database.url, 4))
    const archives = [archive, ...others.map(receiptsArchive)]
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        pay(id, { to: archives[i % 4]!, by: i % 2 === 0 ? CASHIER : ADMIN }),
      ),
    )
    await Promise.all(others.map((one) => one.end()))

    const payments = answers.filter((answer) => !isRefusal(answer)) as ReceiptView[]
    expect(payments).toHaveLength(1)
    const { closed } = payments[0]!
    expect(closed?.at).toBe(NOW)
    for (const answer of answers.filter(isRefusal))
      expect(answer).toEqual({ refused: 'RECEIPT_ALREADY_PAID', details: { id, ...closed } })
    expect(await factsAfter(history)).toEqual([
      { number: history.facts.length + 1, type: 'ReceiptPaid', id, by: closed!.by },
    ])
    await everythingAgrees()
  })

  it('A2: numbers what it decides after the facts of the round, without a gap, however many pay at once', async () => {
    const history = await retired(winners(30, { roundId: ROUND }, [7, 8]))
    const answers = await Promise.all([...history.round.receipts.keys()].map((id) => pay(id, { by: ADMIN })))
    expect(answers.filter(isRefusal)).toEqual([])
    const facts = await factsAfter(history)
    expect(facts.map((fact) => fact.number)).toEqual(
      Array.from({ length: 30 }, (_, i) => history.facts.length + 1 + i),
    )
    expect(new Set(facts.map((fact) => fact.id)).size).toBe(30)
    await everythingAgrees()
  })

  it('answers the key that paid it with that payment, and any other with who paid it and when', async () => {
    await retired(winners(1, { roundId: ROUND }))
    const id = receiptId(ROUND, 1)
    const first = await pay(id, { key: '7/a' })
    expect(first).toMatchObject({ status: 'paid', closed: { by: 7, at: NOW } })
    expect(await archive.ask(asked('PayReceipt', id), NOW + 5, '7/a')).toEqual(first)
    const refused = { refused: 'RECEIPT_ALREADY_PAID', details: { id, by: 7, at: NOW } }
    expect(await pay(id, { key: '7/b' })).toEqual(refused)
    expect(await pay(id)).toEqual(refused)
    expect(await archive.find(id)).toEqual(first)
    await everythingAgrees()
  })

  it('answers the same key alike when it comes twice at once', async () => {
    const history = await retired(winners(1, { roundId: ROUND }))
    const answers = await Promise.all([1, 2, 3, 4].map(() => pay(receiptId(ROUND, 1), { key: '7/a' })))
    for (const answer of answers) expect(answer).toEqual(answers[0])
    expect(answers[0]).toMatchObject({ status: 'paid' })
    expect(await factsAfter(history)).toHaveLength(1)
  })

  it('says why it does not pay, and changes nothing', async () => {
    const loser = 1 + (historyOf({}, { roundId: ROUND }).round.settled!.order[0]! % 6)
    const sale = (number: number): Move => ({ do: 'sell', by: 7, bets: [{ number, stake: 1_000 }] })
    const winner = historyOf({}, { roundId: ROUND }).round.settled!.order[0]!
    const history = await retired(
      historyOf(
        {
          whileOpen: [
            sale(winner),
            sale(loser),
            sale(winner),
            { do: 'cancel', by: 1, which: 2 },
            sale(winner),
          ],
          afterwards: [{ do: 'pay', by: 7, which: 3 }],
        },
        { roundId: ROUND },
      ),
    )
    const [won, lost, cancelled, paid] = [1, 2, 3, 4].map((place) => receiptId(ROUND, place)) as [
      number,
      number,
      number,
      number,
    ]
    expect(refusalOf(await pay(999))).toBe('RECEIPT_UNKNOWN')
    expect(refusalOf(await pay(won, { by: OTHER_CASHIER }))).toBe('RECEIPT_FOREIGN')
    expect(refusalOf(await pay(paid, { by: OTHER_CASHIER }))).toBe('RECEIPT_FOREIGN')
    expect(refusalOf(await pay(lost))).toBe('RECEIPT_NOT_A_WINNER')
    expect(await pay(cancelled)).toMatchObject({ refused: 'RECEIPT_CANCELLED', details: { by: 1 } })
    expect(await pay(paid)).toMatchObject({ refused: 'RECEIPT_ALREADY_PAID', details: { by: 7 } })
    expect(await factsAfter(history)).toEqual([])
    await everythingAgrees()
    expect(await pay(won, { by: ADMIN })).toMatchObject({ status: 'paid', closed: { by: 1, at: NOW } })
    await everythingAgrees()
  })

  it('knows no receipt of a round that was not handed over', async () => {
    await project(sql, winners(1, { roundId: ROUND }))
    const id = receiptId(ROUND, 1)
    expect(await archive.find(id)).toBeUndefined()
    expect(refusalOf(await pay(id))).toBe('RECEIPT_UNKNOWN')
  })

  it('cancels nothing: whoever hands it a cancellation has a fault', async () => {
    const history = await retired(winners(1, { roundId: ROUND }))
    await expect(archive.ask(asked('CancelReceipt', receiptId(ROUND, 1)), NOW, undefined)).rejects.toThrow()
    expect(await factsAfter(history)).toEqual([])
  })
})

describe('printing from the archive', () => {
  it('counts prints, whoever asks at the same time', async () => {
    const history = await retired(winners(1, { roundId: ROUND }))
    const id = receiptId(ROUND, 1)
    const answers = await Promise.all(
      [1, 2, 3, 4, 5].map(() => archive.ask(asked('PrintReceipt', id), NOW, undefined)),
    )
    expect(answers.map((answer) => (answer as ReceiptView).prints).sort()).toEqual([1, 2, 3, 4, 5])
    expect(await archive.find(id)).toMatchObject({ prints: 5, status: 'won' })
    expect((await factsAfter(history)).map((fact) => fact.type)).toEqual(Array(5).fill('ReceiptPrinted'))
    expect(refusalOf(await archive.ask(asked('PrintReceipt', id, OTHER_CASHIER), NOW, undefined))).toBe(
      'RECEIPT_FOREIGN',
    )
    await everythingAgrees()
  })
})

/** Kills connections in the midst of something, now and then, until there were enough. @returns how many */
const killing = async (most: number, isOver: () => boolean): Promise<number> => {
  let killed = 0
  while (killed < most && !isOver()) {
    const rows = await sql`
      select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and state <> 'idle' and pid <> pg_backend_pid() and random() < 0.2 limit 1`
    killed += rows.length
  }
  return killed
}

describe('the archive and a Postgres that goes away', () => {
  it('A1 A2: leaves a payment done or not begun, when its connection is killed at any moment', async () => {
    const history = await retired(winners(60, { roundId: ROUND }, [7, 8]))
    const pool = connectPostgres(database.url, 6)
    const own = receiptsArchive(pool)
    let isPaying = true
    const killer = killing(60, () => !isPaying)
    const payUntilKnown = async (id: number): Promise<void> => {
      for (;;) {
        const answer = await pay(id, { by: ADMIN, to: own, key: `1/${id}` }).catch((error: unknown) => {
          expect(error).toBeInstanceOf(Unavailable)
          return undefined
        })
        if (!answer) continue
        expect(answer).toMatchObject({ id, status: 'paid' })
        return
      }
    }
    await Promise.all([...history.round.receipts.keys()].map(payUntilKnown))
    isPaying = false
    expect(await killer).toBeGreaterThan(10)
    await pool.end({ timeout: 1 })

    const facts = await factsAfter(history)
    expect(facts.map((fact) => fact.number)).toEqual(facts.map((_, i) => history.facts.length + 1 + i))
    expect(facts.map((fact) => fact.id).sort()).toEqual([...history.round.receipts.keys()].sort())
    await everythingAgrees()
  })

  it('takes a round over or leaves it, when its connection is killed at any moment', async () => {
    const pool = connectPostgres(database.url, 2)
    const own = receiptsArchive(pool)
    for (let attempt = 0; attempt < 12; attempt++) {
      const history = winners(40, { roundId: ROUND + attempt })
      await project(sql, history)
      let isOver = false
      const killer = killing(1, () => isOver)
      const answer = await handOver(history, own).catch((error: Error) => error)
      isOver = true
      await killer
      const [row] = await sql<{ is_owned: boolean; kept: number }[]>`
        select retired_at is not null as is_owned,
          (select count(*) from receipts where round_id = ${history.roundId} and retired) as kept
        from rounds where round_id = ${history.roundId}`
      expect(row!.kept).toBe(row!.is_owned ? 40 : 0)
      if (answer === 'taken') expect(row!.is_owned).toBe(true)
      if (answer === 'incomplete') expect(row!.is_owned).toBe(false)
    }
    await pool.end({ timeout: 1 })
    expect(await keptTotals(sql)).toEqual(await countedTotals(sql))
  })

  it('leaves a round untaken for certain, where Postgres is away before the commit is asked for', async () => {
    const history = winners(2, { roundId: ROUND })
    await project(sql, history)
    const cable = await Cable.to(database.url)
    const pool = connectPostgres(cable.url, 2)
    const own = receiptsArchive(pool)
    await pool`select 1`
    for (const how of ['gone', 'hanging up'] as const) {
      await cable.pull(how)
      const away = expect.any(Unavailable)
      const none = (error: unknown) => error
      const answers = [
        handOver(history, own),
        own.find(1).catch(none),
        own.owned([ROUND]).catch(none),
        pay(1, { to: own }).catch(none),
      ]
      expect(await Promise.all(answers)).toEqual(['incomplete', away, away, away])
      expect(await archive.owned([ROUND])).toEqual([])
      await cable.plug()
    }
    expect(await handOver(history, own)).toBe('taken')
    await pool.end({ timeout: 1 })
    await cable.pull()
  })

  it('A4: does not say that it has no round whose hand-over still has its commit on the way', async () => {
    const history = winners(2, { roundId: ROUND })
    await project(sql, history)
    let commit = (): void => {}
    const isToCommit = new Promise<void>((resolve) => {
      commit = resolve
    })
    let allDone = (): void => {}
    const isAllDone = new Promise<void>((resolve) => {
      allDone = resolve
    })
    const begin = (work: (tx: never) => Promise<unknown>) =>
      sql.begin(async (tx) => {
        await work(tx as never)
        allDone()
        await isToCommit
      })
    const slow = receiptsArchive({ begin } as unknown as Sql)
    const takingOver = handOver(history, slow)
    await isAllDone
    const owned = archive.owned([ROUND])
    const first = await Promise.race([owned, archive.find(receiptId(ROUND, 1)).then(() => 'still waiting')])
    commit()
    expect(await takingOver).toBe('taken')
    expect([first, await owned]).toEqual(['still waiting', [ROUND]])
  })

  it('does not deadlock when rounds are handed over while others of the same cashiers are paid', async () => {
    const first = await retired(winners(40, { roundId: ROUND }, [7, 8]))
    const later = Array.from({ length: 12 }, (_, i) =>
      historyOf(
        {
          whileOpen: [7, 8, 7, 8].map((by) => ({
            do: 'sell' as const,
            by,
            bets: FIELD.map(({ number }) => ({ number, stake: 1_000 })),
          })),
          afterwards: [
            { do: 'pay', by: 1, which: 0 },
            { do: 'pay', by: 1, which: 1 },
          ],
        },
        { roundId: ROUND + 1 + i },
      ),
    )
    for (const history of later) await project(sql, history)
    const answers = await Promise.all([
      ...[...first.round.receipts.keys()].map((id) => pay(id, { by: ADMIN })),
      ...later.map((history) => handOver(history)),
    ])
    for (const answer of answers)
      if (answer !== 'taken') expect(answer).toMatchObject({ status: 'paid', closed: { by: 1 } })
    expect(await keptTotals(sql)).toEqual(await countedTotals(sql))
  })
})
