import type { RacingPort } from '../../actors/racing/racing.port.ts'
import { Unavailable } from '../../actors/unavailable.port.ts'
import type { ReceiptLine, ReceiptSearch, TimeKey } from '../../db/racing/audit.queries.ts'
import type { RoundLine, RoundSearch } from '../../db/racing/figures.queries.ts'
import type { Round } from '../../domain/racing/round.ts'
import { viewVoided } from '../../domain/racing/voided.ts'

// Lists by time, paged by key: who goes on after a line sees none twice and misses none, whatever is sold meanwhile.
//   L1. A page is read between hand-overs, so that what changes its owner is listed once.
//   L2. Its cost grows with the page and the live rounds, not with history.

export type Line = { readonly at: number; readonly id: number }
export type Page<T> = {
  readonly lines: readonly T[]
  /** Where it goes on; `undefined` at the end. */
  readonly next: TimeKey | undefined
  readonly history: 'complete' | 'unavailable'
}

/** What is asked of the archive; one more than the page tells whether there is another. */
type Archived<T> = (after: TimeKey | undefined, limit: number) => Promise<T[]>

/**
 * A page of live and archived lines, latest first.
 * @param isEnough whether it may be answered without the archive while Postgres is away
 */
export const pageByTime = async <T extends Line>(
  racing: RacingPort,
  live: () => Iterable<T>,
  archived: Archived<T>,
  after: TimeKey | undefined,
  limit: number,
  isEnough = false,
): Promise<Page<T>> => {
  const own = (): T[] => [...live()].filter((line) => !after || isLater(after, line))
  const cut = (lines: T[], history: Page<T>['history']): Page<T> => {
    const page = lines.sort(latestFirst).slice(0, limit)
    const last = page.at(-1)
    const next = last && lines.length > limit ? { at: last.at, id: last.id } : undefined
    return { lines: page, next, history }
  }
  try {
    for (;;) {
      const before = await racing.betweenHandOvers()
      const mine = own()
      await racing.settled()
      const rest = await archived(after, limit + 1)
      if ((await racing.betweenHandOvers()) === before) return cut([...mine, ...rest], 'complete')
    }
  } catch (error) {
    if (!isEnough || !(error instanceof Unavailable) || error.store !== 'postgres') throw error
    const mine = own()
    await racing.settled()
    return cut(mine, 'unavailable')
  }
}

const latestFirst = (a: Line, b: Line): number => b.at - a.at || b.id - a.id
const isLater = (one: Line, other: Line): boolean => latestFirst(one, other) < 0

/** The live receipts that match. */
export const liveReceiptLines = function* (
  racing: RacingPort,
  { userId, status, roundId, from, to }: ReceiptSearch,
): Iterable<ReceiptLine> {
  for (const round of racing.rounds()) {
    if (roundId !== undefined && round.id !== roundId) continue
    const ids = userId === undefined ? round.ids : (round.byUser.get(userId)?.ids ?? [])
    for (const id of ids) {
      const receipt = round.receipts.get(id)!
      const { at, by } = receipt
      if (status !== undefined && receipt.status !== status) continue
      if ((from !== undefined && at < from) || (to !== undefined && at >= to)) continue
      const { total, prize, prints, closed } = receipt
      const { track } = round.opened
      yield { id, roundId: round.id, track, by, at, total, prize, status: receipt.status, prints, closed }
    }
  }
}

/** The live rounds that match. */
export const liveRoundLines = function* (
  racing: RacingPort,
  { track, from, to }: RoundSearch,
): Iterable<RoundLine> {
  for (const round of racing.rounds()) {
    const { at } = round.opened
    if (track !== undefined && round.opened.track !== track) continue
    if ((from !== undefined && at < from) || (to !== undefined && at >= to)) continue
    yield roundLine(round)
  }
}

const roundLine = (round: Round): RoundLine => ({
  id: round.id,
  at: round.opened.at,
  track: round.opened.track,
  status: round.phase,
  settledAt: (round.settled ?? round.voided)?.at ?? null,
  winner: round.settled?.order[0] ?? null,
  isVoided: round.voided !== undefined,
  receipts: round.receiptCount,
  // Refunds of a voided round were stakes of it all the same.
  stakes: round.voided ? viewVoided(round).stakes : round.stakesIn - round.refunded,
  prizes: round.settled ? round.totalPrize : 0,
})

/** What a round left to the shop: nothing where it was voided; `null` until it is over. */
export const marginOf = ({ status, isVoided, stakes, prizes }: RoundLine): number | null => {
  if (status !== 'settled') return null
  return isVoided ? 0 : stakes - prizes
}
