import type * as v from 'valibot'

// Sales are checked by a schema, as all that comes in is. It took a fourteenth of the time of a sale, so one that is
// written as stations write it is looked through by hand before.
//   P1. What is taken here the schema would take, and give out alike; whatever else there is goes to the schema.

type Bet = { participant: { number: number; name?: string; coeff?: number }; value: number }
export type PlainSale = { user_id?: number; round_id?: number; bets: Bet[] }
export type PlainLimits = { readonly mostBets: number; readonly longestName: number }

/** The same schema, which asks `plain` first: that gives the output, or `undefined` where it does not know. */
export const plainFirst = <S extends v.GenericSchema<unknown, unknown>>(
  schema: S,
  plain: (input: unknown) => v.InferOutput<S> | undefined,
): S => ({
  ...schema,
  '~run': ((dataset, config) => {
    const value = plain(dataset.value)
    return value === undefined ? schema['~run'](dataset, config) : { typed: true, value }
  }) satisfies S['~run'],
})

/** A sale as the schema gives it, its members in the same order: digests are made of its text. */
export const plainSale = (input: unknown, { mostBets, longestName }: PlainLimits): PlainSale | undefined => {
  if (!isObject(input)) return undefined
  const { user_id, round_id, bets } = input
  if (user_id !== undefined && !isNumber(user_id)) return undefined
  if (round_id !== undefined && !isSafeInteger(round_id)) return undefined
  if (!Array.isArray(bets) || bets.length === 0 || bets.length > mostBets) return undefined
  const taken: Bet[] = []
  for (const bet of bets) {
    const plain = plainBet(bet, longestName)
    if (!plain) return undefined
    taken.push(plain)
  }
  return {
    ...(user_id !== undefined && { user_id }),
    ...(round_id !== undefined && { round_id }),
    bets: taken,
  }
}

const plainBet = (input: unknown, longestName: number): Bet | undefined => {
  if (!isObject(input) || !isSafeInteger(input.value) || !isObject(input.participant)) return undefined
  const { number, name, coeff } = input.participant
  if (!isNumber(number) || !Number.isInteger(number)) return undefined
  const participant: Bet['participant'] = { number }
  if (name !== undefined) {
    if (typeof name !== 'string' || name.length > longestName) return undefined
    participant.name = name
  }
  if (coeff !== undefined) {
    if (!isNumber(coeff)) return undefined
    participant.coeff = coeff
  }
  return { participant, value: input.value }
}

type Members = { readonly [name: string]: unknown }

const isObject = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isNumber = (value: unknown): value is number => typeof value === 'number' && !Number.isNaN(value)
const isSafeInteger = (value: unknown): value is number => Number.isSafeInteger(value)
