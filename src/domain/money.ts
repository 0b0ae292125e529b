// Money is counted in whole numbers of the smallest unit ("système": 100 makes one of the currency).
//   M1. An amount is a safe integer, never a fraction, never guessed from its size.
//   M2. The public unit ("publique") exists only where `toPublic` made it, at the routes that speak it.

declare const amount: unique symbol
/** A whole number of the smallest unit of the currency: 10000 is 100.00 HTG. */
export type Amount = number & { readonly [amount]: true }

/** Takes a number for an amount. Throws a `RangeError` on anything but a safe integer that is not negative. */
export const toAmount = (value: number): Amount => {
  if (!Number.isSafeInteger(value) || value < 0)
    throw new RangeError(`${value} is not an amount in the smallest unit`)
  return value as Amount
}

export const NOTHING = toAmount(0)

/** Public unit of an amount: 10000 → 100 (meaning 100.00 HTG). The only place that divides by 100. */
export const toPublic = (system: Amount): number => system / 100
