import { computed, signal } from '@preact/signals'
import { amountTyped } from '../format.ts'
import { shop } from '../shop.ts'
import { largestStakes, round } from './race.ts'

// The receipt that is being made: what was typed so far, and the bets that stand on it.

export type Bet = { readonly number: number; readonly amount: number }
export type Participant = { readonly number: number; readonly name: string; readonly coeff: number }

export const bets = signal<readonly Bet[]>([])
export const typed = signal({ number: '', amount: '' })

export const field = computed<readonly Participant[]>(() => round.value?.participants ?? [])
export const participantOf = (number: number): Participant | undefined =>
  field.value.find((one) => one.number === number)

/** As the server counts: rounded down to the smallest unit. Coefficients are whole hundredths. */
export const prizeOf = ({ number, amount }: Bet): number =>
  Math.floor((amount * Math.round((participantOf(number)?.coeff ?? 0) * 100)) / 100)

export const total = computed(() => bets.value.reduce((sum, { amount }) => sum + amount, 0))
/** One of them wins at most. */
export const possiblePrize = computed(() => Math.max(0, ...bets.value.map(prizeOf)))

/** The participant whose number was typed in full. */
export const picked = computed(() => participantOf(Number(typed.value.number || Number.NaN)))
/** Whether another digit could follow. */
export const mayGoOn = (text: string): boolean =>
  field.value.some(({ number }) => String(number) !== text && String(number).startsWith(text))

export const amount = computed(() => amountTyped(typed.value.amount))

/** The most that may stand on a number, by the shop's limit and by what the round can still pay. */
export const mostOn = (number: number): number =>
  Math.min(shop.value?.limits.maxStake ?? 0, largestStakes.value[number] ?? Number.POSITIVE_INFINITY)

export type Complaint = 'number' | 'amount' | 'least' | 'most' | 'count'

/** What is wrong with the bet as it is typed now, before anybody asks. */
export const complaint = computed<Complaint | undefined>(() => {
  const { number } = typed.value
  if (number !== '' && !picked.value && !mayGoOn(number)) return 'number'
  if (!picked.value || typed.value.amount === '') return undefined
  if (amount.value === undefined) return 'amount'
  const { limits } = shop.value!
  const before = bets.value.find((one) => one.number === picked.value!.number)
  if (!before && bets.value.length >= limits.betsPerReceipt) return 'count'
  if (amount.value < limits.minStake) return 'least'
  return amount.value + (before?.amount ?? 0) > mostOn(picked.value.number) ? 'most' : undefined
})

/** Puts the typed bet on the receipt; on a number that is there already it adds. @returns whether it could */
export const addTyped = (): boolean => {
  if (!picked.value || amount.value === undefined || complaint.value) return false
  const { number } = picked.value
  const more = amount.value
  const isThere = bets.value.some((one) => one.number === number)
  bets.value = isThere
    ? bets.value.map((one) => (one.number === number ? { number, amount: one.amount + more } : one))
    : [...bets.value, { number, amount: more }]
  typed.value = { number: '', amount: '' }
  return true
}

/** Takes the last bet back into the fields, to be corrected. */
export const takeBack = (): boolean => {
  const last = bets.value[bets.value.length - 1]
  if (!last) return false
  bets.value = bets.value.slice(0, -1)
  typed.value = { number: String(last.number), amount: String(last.amount / 100) }
  return true
}

export const removeBet = (number: number): void => {
  bets.value = bets.value.filter((one) => one.number !== number)
}

export const clearDraft = (): void => {
  bets.value = []
  typed.value = { number: '', amount: '' }
}
