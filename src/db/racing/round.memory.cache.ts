import {
  CACHE_TTL_S,
  type CacheChange,
  type CachedReceipt,
  type CachedRound,
  MOST_RECEIPTS,
  numberWithOutcome,
  type RoundCache,
  withOutcome,
} from './round.cache.ts'

type Kept = { number: number; receipt: CachedReceipt | undefined }
type KeptRound = { receipts: Map<number, Kept>; until: number }

/** The cache of a server without Redis. All rounds together have `most` receipts; then the oldest ones are forgotten. */
export const memoryRoundCache = (now: () => number, most = MOST_RECEIPTS): RoundCache => {
  const rounds = new Map<number, KeptRound>()

  const known = (roundId: number): KeptRound | undefined => {
    const round = rounds.get(roundId)
    if (round && round.until > now()) return round
    rounds.delete(roundId)
    return undefined
  }

  const makeRoom = (): void => {
    let kept = 0
    for (const round of rounds.values()) kept += round.receipts.size
    for (const [id, round] of rounds) {
      if (kept <= most) return
      rounds.delete(id)
      kept -= round.receipts.size
    }
  }

  const apply = (roundId: number, changes: readonly CacheChange[]): void => {
    const round = known(roundId)
    if (!round) return
    for (const { number, receipt, gone } of changes) {
      const before = round.receipts.get(receipt.id)
      if (!before || before.number < number)
        round.receipts.set(receipt.id, { number, receipt: gone ? undefined : receipt })
    }
    round.until = now() + CACHE_TTL_S * 1000
    makeRoom()
  }

  return {
    open: async (roundId) => {
      if (!known(roundId)) rounds.set(roundId, { receipts: new Map(), until: now() + CACHE_TTL_S * 1000 })
    },
    has: async (roundId) => known(roundId) !== undefined,
    change: async (roundId, changes) => apply(roundId, changes),
    settle: async (roundId, winner) => {
      const changes: CacheChange[] = []
      for (const { number, receipt } of known(roundId)?.receipts.values() ?? [])
        if (receipt?.status === 'pending')
          changes.push({
            number: numberWithOutcome(number),
            receipt: withOutcome(receipt, winner),
            gone: false,
          })
      apply(roundId, changes)
    },
    drop: async (roundId) => {
      rounds.delete(roundId)
    },
    read: async (roundId) => {
      const round = known(roundId)
      return round && summed([...round.receipts.values()].flatMap((kept) => kept.receipt ?? []))
    },
    close: async () => rounds.clear(),
  }
}

const summed = (receipts: readonly CachedReceipt[]): CachedRound => {
  const participantMise: Record<string, number> = {}
  let totalMise = 0
  for (const receipt of receipts) {
    totalMise += receipt.total_amount
    for (const bet of receipt.bets)
      participantMise[bet.number] = (participantMise[bet.number] ?? 0) + bet.value
  }
  return { receipts, stats: { totalReceipts: receipts.length, totalMise, participantMise } }
}
