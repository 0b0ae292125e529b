// What must hold, by number. Each is looked at as things happen, at marked points, or when the run is over.
export const INVARIANTS = {
  S1: 'What was acknowledged is on disk at that moment, and exists ever after, once, with the bets that were asked for.',
  S2: 'What was refused does not exist, and nothing exists that nobody asked for.',
  S3: 'A cancelled receipt is offered nowhere, and never paid.',
  S4: 'Nothing is sold or cancelled at or after `locksAt`, by the facts and by the clock of the run.',
  S5: 'A receipt is paid once at most, only if it won, and for the prize that its bets say.',
  S6: 'The order of arrival follows from the seed that the round was committed to, and from nothing else.',
  S7: 'Money that came in is what was paid out, given back and is held, in every sum that the program keeps.',
  S8: 'Once the faults ended, Postgres, the cache and the actor say what the facts say.',
  S9: 'Once the faults ended everything goes on: each question was answered or its server died, all facts arrive, rounds retire.',
  S10: 'A screen hears each offset once, in order, without a gap but where it is given a snapshot, and knows what is true.',
  S11: 'No frame and no answer tells a secret before its time, nor the public topic of a receipt.',
  S12: 'The same key is answered alike, whatever happened in between, and decided once.',
  S13: 'Numbers of rounds and receipts are never given twice.',
  S14: 'A fact on disk stays as it is, leaves the journal only for Postgres, and is heard once, in order, after it was written.',
  S15: 'A list has each receipt once, those acknowledged before among them, and its sums are theirs.',
  S16: 'A round goes through its phases in order, each at its time or later.',
  S17: 'No fault but those that were injected, and no rejection that nobody hears.',
} as const
export type InvariantName = keyof typeof INVARIANTS
export const INVARIANT_NAMES = Object.keys(INVARIANTS) as InvariantName[]
