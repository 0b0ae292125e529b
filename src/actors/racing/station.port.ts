/** The note of the journal under which the counter of receipts is kept. */
export const RECEIPTS_SOLD = 'receipts/sold'

/** What a station needs to number its receipts; kept in the journal under `station`. */
export type StationNotes = {
  readonly number: string
  /** Secret key of the permutation that scatters the numbers, in hexadecimal. */
  readonly key: string
  /** Counters below this one may be in use already, from a journal before this. */
  readonly firstReceipt: number
  /** Ids of rounds begin here, so that no two journals of a network share one. */
  readonly firstRound: number
}
