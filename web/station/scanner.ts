// A scanner types like a keyboard, faster than anybody, and ends with Enter. Wherever the focus is, what it reads is the
// number of a receipt to look at, and never a bet.

/** Between two keys of a scanner; people need several times as long. */
const MOST_GAP_MS = 50
/** A receipt's number has no fewer digits. */
const LEAST_DIGITS = 8

export type Heard = {
  /** This key may be the first of a number that is being read. */
  readonly begins: boolean
  /** The number whose reading this key ends. */
  readonly number: string | undefined
}

/** Hears every key before anything else does; `at` in milliseconds. */
export const createScanner = (): { readonly hear: (key: string, at: number) => Heard } => {
  let digits = ''
  let lastAt = Number.NEGATIVE_INFINITY
  return {
    hear: (key, at) => {
      const isQuick = at - lastAt <= MOST_GAP_MS
      lastAt = at
      const isDigit = /^\d$/.test(key)
      const isRead = key === 'Enter' && isQuick && digits.length >= LEAST_DIGITS
      const number = isRead ? digits : undefined
      const begins = isDigit && !(isQuick && digits !== '')
      digits = !isDigit ? '' : begins ? key : digits + key
      return { begins, number }
    },
  }
}
