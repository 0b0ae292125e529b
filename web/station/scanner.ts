// A scanner types like a keyboard, faster than anybody, and ends with Enter. Wherever the focus is, what it reads is the
// number of a receipt to look at, and never a bet.

/** Between two keys of a scanner; people need several times as long. */
const MOST_GAP_MS = 50
/** Within a link, which is long; nobody types one by hand here, nor anything else that begins with a letter. */
const MOST_GAP_IN_LINK_MS = 1_000
/** A receipt's number has no fewer digits. */
const NUMBER = /\d{8,}$/
/** The other code on a receipt, which leads a customer to the proof of its race. */
const LINK = /^https?:.*[?&]commitment=/

export type Heard = {
  /** This key may be the first of something that is being read. */
  readonly begins: boolean
  /** What was read, where this key ends it: the number of a receipt, or a link. */
  readonly read: string | undefined
}

/** Hears every key before anything else does; `at` in milliseconds. */
export const createScanner = (): { readonly hear: (key: string, at: number) => Heard } => {
  let text = ''
  let lastAt = Number.NEGATIVE_INFINITY
  return {
    hear: (key, at) => {
      const isQuick = at - lastAt <= (text.startsWith('h') ? MOST_GAP_IN_LINK_MS : MOST_GAP_MS)
      lastAt = at
      // Held down for some of the keys: on a French keyboard for each digit.
      if (key === 'Shift') return { begins: false, read: undefined }
      const isSign = key.length === 1
      const before = isQuick ? text : ''
      text = isSign ? before + key : ''
      return { begins: isSign && before === '', read: key === 'Enter' ? readIn(before) : undefined }
    },
  }
}

const readIn = (text: string): string | undefined => (LINK.test(text) ? text : NUMBER.exec(text)?.[0])
