import { type Amount, toAmount } from '../money.ts'
import type { Entry } from './field.ts'

// Odds with the house's margin. Coefficients are whole hundredths inside: 250 is shown as 2.5.

/** One who runs in a round, at the price that the round was opened with. */
export type Participant = {
  readonly number: number
  readonly name: string
  readonly chance: number
  readonly coeff: number
}

/**
 * Prices a field: coefficient = returnToPlayer / probability, rounded down to a hundredth, so that
 * a stake on anyone returns `returnToPlayer` on average (never more).
 * @param returnToPlayer share of the stakes that comes back as prizes, 0.88 for 88 %
 * @throws RangeError where a favourite is so likely that its coefficient would not exceed 1.00
 */
export const priceField = (field: readonly Entry[], returnToPlayer: number): Participant[] => {
  const basisPoints = Math.round(returnToPlayer * 10_000)
  const total = field.reduce((sum, entry) => sum + entry.chance, 0)
  return field.map(({ number, name, chance }) => {
    const coeff = Math.floor((basisPoints * total) / (chance * 100))
    if (coeff <= 100)
      throw new RangeError(
        `participant ${number} (${name}) would be paid ${coeff / 100} at a return to player of ${returnToPlayer}: ` +
          'give it a smaller chance in the field',
      )
    return { number, name, chance, coeff }
  })
}

/** Prize of a stake if its participant wins: floor(stake × coefficient). */
export const prizeOf = (stake: number, coeff: number): Amount => toAmount(Math.floor((stake * coeff) / 100))
