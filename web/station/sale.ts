// Selling, so that one press is one receipt, whatever becomes of the network, of the server or of this page.
//   S1. A sale has its key before it is sent, and is kept here until its answer is known.
//   S2. What was not answered is asked again under the same key, after a reload too; nothing else is sold meanwhile.
//   S3. A sale is for the race that was shown when it was pressed, or for none.
import { signal } from '@preact/signals'
import type { SoldReceipt } from '../api.d.ts'
import { ask } from '../client.ts'
import { type ErrorCode, inWords, type Refusal } from '../refusals.ts'
import { person } from '../session.tsx'
import { type Bet, bets, clearDraft } from './draft.ts'
import { newKey } from './key.ts'
import { printSlip } from './printing.ts'
import { type Phase, phase, receiptsChanged, refreshLimits, round, track } from './race.ts'
import { stored } from './storage.ts'

/** A sale whose answer is not known. */
type Pending = {
  readonly key: string
  readonly track: string | undefined
  readonly roundId: number
  readonly bets: readonly Bet[]
}

export const pending = signal<Pending | undefined>(undefined)
/** How often the pending sale was sent without an answer. */
export const unanswered = signal(0)
/** Why the last sale was refused. */
export const refusal = signal<string | undefined>(undefined)
export const lastSold = signal<SoldReceipt | undefined>(undefined)
/** The last receipt could not be printed. */
export const isUnprinted = signal(false)

const FIRST_DELAY_MS = 500
const MOST_DELAY_MS = 5_000
/** After these nobody knows whether the sale was made by an earlier attempt. */
const UNDECIDED: readonly ErrorCode[] = ['NO_ANSWER', 'INTERNAL']
/** These did nothing themselves, and say nothing of an earlier attempt. */
const NOT_NOW: readonly ErrorCode[] = [
  'JOURNAL_UNAVAILABLE',
  'POSTGRES_UNAVAILABLE',
  'TOO_MANY_REQUESTS',
  'UNAUTHENTICATED',
]

/** What the server would answer now: it is not asked. */
const CLOSED: Partial<Record<Phase, ErrorCode>> = {
  'betting-locked': 'BETTING_LOCKED',
  running: 'RACE_RUNNING',
  settled: 'ROUND_SETTLED',
  voided: 'ROUND_VOIDED',
}

const nameOfKept = (): string => `galop.station.sale.${person.peek()?.id ?? ''}`

const keep = (one: Pending | undefined): void => {
  pending.value = one
  stored.write(nameOfKept(), one && JSON.stringify(one))
}

/** Sells the bets of the receipt. What happens then is told by the signals. */
export const sell = (): void => {
  if (pending.value || bets.value.length === 0) return
  if (phase.value !== 'waiting' || !round.value) {
    refusal.value = inWords({ code: CLOSED[phase.value] ?? 'NO_ROUND', message: '' })
    return
  }
  keep({ key: newKey(), track: track.value, roundId: round.value.id, bets: bets.value })
  unanswered.value = 0
  refusal.value = undefined
  void settle()
}

/** Goes on with the sale that an earlier page of this person left without an answer. */
export const resumeSale = (): void => {
  const kept = stored.read(nameOfKept())
  if (kept === undefined || pending.value) return
  const one = JSON.parse(kept) as Pending
  pending.value = one
  bets.value = one.bets
  unanswered.value = Math.max(1, unanswered.value)
  void settle()
}

let isSettling = false

/** Sends the pending sale until its answer is known. */
const settle = async (): Promise<void> => {
  if (isSettling) return
  isSettling = true
  try {
    for (let one = pending.value; one; one = pending.value) {
      const answer = await send(one)
      if (answer.ok) return done(answer.data!)
      const isOpenStill = UNDECIDED.includes(answer.code) || unanswered.value > 0
      if (!UNDECIDED.includes(answer.code) && !(isOpenStill && NOT_NOW.includes(answer.code)))
        return refused(answer)
      // Whoever has to sign in again finds the sale as it was.
      if (answer.code === 'UNAUTHENTICATED') {
        pending.value = undefined
        return
      }
      unanswered.value += 1
      const longest = Math.min(MOST_DELAY_MS, FIRST_DELAY_MS * 2 ** (unanswered.value - 1))
      await new Promise((resolve) => setTimeout(resolve, longest))
    }
  } finally {
    isSettling = false
  }
}

const send = (one: Pending) =>
  ask('POST /api/v1/receipts/', {
    query: { action: 'add', ...(one.track !== undefined && { track: one.track }) },
    body: {
      round_id: one.roundId,
      bets: one.bets.map(({ number, amount }) => ({ participant: { number }, value: amount })),
    },
    key: one.key,
  })

const done = (receipt: SoldReceipt): void => {
  keep(undefined)
  unanswered.value = 0
  lastSold.value = receipt
  clearDraft()
  receiptsChanged.value += 1
  void refreshLimits()
  void print(receipt.id)
}

const refused = (answer: Refusal): void => {
  keep(undefined)
  unanswered.value = 0
  refusal.value = inWords(answer)
  void refreshLimits()
}

export const print = async (id: number): Promise<void> => {
  isUnprinted.value = false
  isUnprinted.value = !(await printSlip('print', id))
}
