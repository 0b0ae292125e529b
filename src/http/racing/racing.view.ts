import type { RaceProgress } from '../../actors/racing/racing.port.ts'
import { COURSE_LENGTH } from '../../domain/racing/course.ts'
import type { RoundOpened, RoundSettled, RoundVoided } from '../../domain/racing/facts.ts'
import type { BetView, ReceiptView } from '../../domain/racing/receipt-view.ts'
import type { ReceiptStatus } from '../../domain/racing/receipts.ts'
import { nextAtOf, type Phase } from '../../domain/racing/round.ts'

// What the outside sees of a round and of a receipt, on sockets and routes alike.
//   V1. Every object is built member by member: nothing of a round is shown because somebody added it there.
//   V2. The seed and the order of arrival are shown of settled rounds alone. Of a race that runs is shown where everyone is
//       at the pieces that were called.

/** As much of a round as anybody may know something about. */
export type RoundKnown = {
  readonly id: number
  readonly opened: RoundOpened
  readonly phase: Phase
  readonly settled: RoundSettled | undefined
  readonly voided: RoundVoided | undefined
}

/** Milliseconds until what comes next, of how many altogether: the race, its end, the next round. */
export type Timer = { readonly timeLeft: number; readonly totalDuration: number; readonly serverTime: number }

export type PublicRound = {
  readonly id: number
  readonly roundId: number
  readonly track: string
  readonly status: Phase
  /** `coeff` is public: 2.5. */
  readonly participants: readonly {
    readonly number: number
    readonly name: string
    readonly coeff: number
  }[]
  readonly commitment: string
  readonly locksAt: number
  readonly startsAt: number
  readonly endsAt: number
  readonly nextAt: number
  readonly timer: Timer
  readonly result?: { readonly order: readonly number[]; readonly winner: number; readonly seed: string }
  /** An admin ended it without a winner. */
  readonly voided?: { readonly at: number; readonly seed: string }
}

/** A receipt with its amounts in the smallest unit ("système"), in the members of the reference. */
export type SystemTicket = {
  readonly id: number
  readonly receipt_id: number
  readonly round_id: number
  readonly user_id: number
  readonly total_amount: number
  readonly status: ReceiptStatus
  readonly prize: number
  readonly created_at: string
  readonly bets: readonly {
    readonly number: number
    readonly value: number
    readonly participant: { readonly number: number; readonly name: string; readonly coeff: number }
    readonly prize: number
  }[]
}

export const timerOf = (
  { opened, phase, voided }: Pick<RoundKnown, 'opened' | 'phase' | 'voided'>,
  now: number,
): Timer => {
  const { at, startsAt, endsAt } = opened
  const [from, to] = {
    waiting: [at, startsAt],
    'betting-locked': [at, startsAt],
    running: [startsAt, endsAt],
    settled: [voided?.at ?? endsAt, nextAtOf({ opened, voided })],
  }[phase] as [number, number]
  return { timeLeft: Math.max(0, to - now), totalDuration: to - from, serverTime: now }
}

/** A round for everybody. What it says must be on disk: ask `racing.settled()` where the round comes from there. */
export const publicRound = (round: RoundKnown, now: number): PublicRound => {
  const { id, opened, phase, settled, voided } = round
  const { track, field, commitment, locksAt, startsAt, endsAt } = opened
  return {
    id,
    roundId: id,
    track,
    status: phase,
    participants: field.map(({ number, name, coeff }) => ({ number, name, coeff: coeff / 100 })),
    commitment,
    locksAt,
    startsAt,
    endsAt,
    nextAt: nextAtOf(round),
    timer: timerOf(round, now),
    ...(phase === 'settled' && settled && { result: resultOf(settled) }),
    ...(voided && { voided: { at: voided.at, seed: voided.seed } }),
  }
}

export const resultOf = ({ order, seed }: RoundSettled) => ({ order, winner: order[0]!, seed })

/** Where everyone is in a race: positions from 0 to `length`, of piece `first` and those after it. */
export const publicProgress = ({ roundId, pieces, first, positions }: RaceProgress) => ({
  roundId,
  length: COURSE_LENGTH,
  pieces,
  first,
  positions,
})

export const systemTicket = (receipt: ReceiptOnTicket): SystemTicket => ({
  id: receipt.id,
  receipt_id: receipt.id,
  round_id: receipt.roundId,
  user_id: receipt.by,
  total_amount: receipt.total,
  status: receipt.status,
  prize: receipt.prize,
  created_at: new Date(receipt.at).toISOString(),
  bets: receipt.bets.map(betOnTicket),
})

export const betOnTicket = ({
  number,
  name,
  coeff,
  stake,
  prize,
}: BetView): SystemTicket['bets'][number] => ({
  number,
  value: stake,
  participant: { number, name, coeff: coeff / 100 },
  prize,
})

export type ReceiptOnTicket = Pick<
  ReceiptView,
  'id' | 'roundId' | 'by' | 'at' | 'total' | 'status' | 'prize' | 'bets'
>
