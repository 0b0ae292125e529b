import type { Journal } from '../../actors/journal.port.ts'
import type { Archive } from '../../actors/racing/archive.port.ts'
import type { Fact } from '../../domain/racing/facts.ts'
import { asking, type Sql } from '../postgres.ts'
import { receiptsArchive } from './receipts.archive.ts'
import {
  type ReceiptFilter,
  retiredReceipts,
  retiredSince,
  retiredTotals,
  type StatusTotals,
} from './receipts.queries.ts'
import {
  discrepancies,
  recordReconciliation,
  roundsWithDiscrepancy,
  storedFacts,
  unreconciledRounds,
} from './reconciliation.queries.ts'
import { type FactBatch, projectFacts } from './rounds.projection.ts'
import { isSuperseded, tellReceipts } from './station.claim.ts'

/** A question about a whole large round. */
const SLOW_ANSWER_LIMIT_MS = 40_000

/** What racing asks of Postgres. Every question may be answered with `Unavailable`, and may be asked again. */
export type RacingStore = {
  readonly archive: Archive
  /** Lists of retired receipts. */
  readonly lists: {
    readonly receipts: (
      filter: ReceiptFilter,
      offset: number,
      limit: number,
    ) => ReturnType<typeof retiredReceipts>
    readonly totals: (filter: ReceiptFilter) => Promise<StatusTotals>
    readonly since: (filter: ReceiptFilter, at: number) => Promise<number>
  }
  /** Writes a batch, or nothing of it. Rejects with the error of the store. */
  readonly project: (batch: FactBatch) => Promise<void>
  /** Numbers of the facts of these rounds that are stored. */
  readonly storedFacts: (roundIds: readonly number[]) => Promise<Map<number, number[]>>
  /** What differs between a retired round's rows and its facts, in words; it is noted beside the round. */
  readonly reconcile: (roundId: number) => Promise<string[]>
  /** Rounds that retired a while ago and were not compared yet. */
  readonly unreconciled: () => Promise<number[]>
  readonly withDiscrepancy: () => Promise<{ roundId: number; discrepancy: string }[]>
  /** Tells how many receipts this journal has sold, rows or not: no number is given out again if it is lost. @returns how many it told */
  readonly tellReceipts: (journal: Journal<Fact>, told: number) => Promise<number>
  /** Whether another journal than this one was claimed for its station since. */
  readonly isSuperseded: (journal: Journal<Fact>) => Promise<boolean>
}

export const racingStore = (sql: Sql): RacingStore => ({
  archive: receiptsArchive(sql),
  lists: {
    receipts: (...asked) => asking(() => retiredReceipts(sql, ...asked)),
    totals: (...asked) => asking(() => retiredTotals(sql, ...asked)),
    since: (...asked) => asking(() => retiredSince(sql, ...asked)),
  },
  project: (batch) => projectFacts(sql, batch),
  storedFacts: (roundIds) => asking(() => storedFacts(sql, roundIds), SLOW_ANSWER_LIMIT_MS),
  reconcile: async (roundId) => {
    const found = await asking(() => discrepancies(sql, roundId), SLOW_ANSWER_LIMIT_MS)
    await asking(() => recordReconciliation(sql, roundId, found))
    return found
  },
  unreconciled: () => asking(() => unreconciledRounds(sql)),
  withDiscrepancy: () => asking(() => roundsWithDiscrepancy(sql)),
  tellReceipts: (journal, told) => asking(() => tellReceipts(journal, sql, told)),
  isSuperseded: (journal) => isSuperseded(journal, sql),
})
