// The simulated Postgres behind the product's own port: its tables, asked over a line that fails.
import { RECEIPTS_SOLD } from '../src/actors/racing/station.port.ts'
import { asking } from '../src/db/postgres.ts'
import type { RacingStore } from '../src/db/racing/racing.store.ts'
import { discrepancies } from './postgres.compare.ts'
import { type Ask, isCertainlyUndone } from './postgres.line.ts'
import type { PostgresTables } from './postgres.tables.ts'

const TAKE_OVER_LIMIT_MS = 60_000
const SLOW_ANSWER_LIMIT_MS = 40_000

export const twinStore = (tables: PostgresTables, ask: Ask): RacingStore => ({
  archive: {
    find: (id) => asking(() => ask('find', () => tables.find(id))),
    ask: (command, now, key) =>
      asking(() => ask(`${command.type} ${command.id}`, () => tables.ask(command, now, key))),
    takeOver: (round) =>
      asking(async () => {
        try {
          const isTaken = await ask(`take over ${round.id}`, () => tables.takeOver(round), {
            takes: [round.id],
            awaits: [round.id],
          })
          return isTaken ? 'taken' : 'incomplete'
        } catch (error) {
          if (!isCertainlyUndone(error)) throw error
          return 'incomplete'
        }
      }, TAKE_OVER_LIMIT_MS),
    owned: (ids) => asking(() => ask(`owned ${ids.join()}`, () => tables.owned(ids), { awaits: ids })),
  },
  lists: {
    receipts: (...asked) => asking(() => ask('list', () => tables.list(...asked))),
    totals: (filter) => asking(() => ask('totals', () => tables.totalsOf(filter))),
    since: (...asked) => asking(() => ask('since', () => tables.since(...asked))),
  },
  project: (batch) =>
    ask(`project ${batch.roundId} ${batch.facts.map(([number]) => number).join()}`, () =>
      tables.project(batch),
    ),
  storedFacts: (ids) =>
    asking(() => ask('stored facts', () => tables.storedFacts(ids)), SLOW_ANSWER_LIMIT_MS),
  reconcile: async (id) => {
    const found = await asking(
      () => ask(`compare ${id}`, () => discrepancies(tables, id)),
      SLOW_ANSWER_LIMIT_MS,
    )
    await asking(() => ask(`compared ${id}`, () => tables.recordReconciliation(id, found)))
    return found
  },
  unreconciled: () => asking(() => ask('unreconciled', () => tables.unreconciled())),
  withDiscrepancy: () => asking(() => ask('discrepancies', () => tables.withDiscrepancy())),
  tellReceipts: async (journal, told) => {
    const sold = Number(journal.note(RECEIPTS_SOLD) ?? 0)
    return sold <= told ? told : asking(() => ask('tell receipts', () => sold))
  },
  isSuperseded: async () => false,
})
