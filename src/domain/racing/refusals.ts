// Refusals: expected answers that say no, as states of the world. Faults are thrown; refusals are returned.

/** Details each refusal carries, in the units of the facts (amounts smallest unit, times in milliseconds). */
export type RefusalDetails = {
  NO_ROUND: { track: string }
  BETTING_LOCKED: { roundId: number; lockedAt: number }
  RACE_RUNNING: { roundId: number; endsAt: number }
  ROUND_SETTLED: { roundId: number; nextAt: number }
  ROUND_VOIDED: { roundId: number; nextAt: number }
  ROUND_DECIDED: { roundId: number; endsAt: number }
  ROUND_CHANGED: { roundId: number; asked: number }
  NO_BETS: { roundId: number }
  STAKE_OUT_OF_LIMITS: { number: number; value: number; min: number; max: number }
  PARTICIPANT_UNKNOWN: { number: number; known: number[] }
  PARTICIPANT_REPEATED: { number: number }
  PARTICIPANT_CHANGED: { number: number; name: string }
  COEFFICIENT_CHANGED: { number: number; coeff: number }
  EXPOSURE_REACHED: { number: number; maxStake: number }
  RECEIPT_UNKNOWN: { id: number }
  RECEIPT_FOREIGN: { id: number }
  RECEIPT_HISTORICAL: { id: number; roundId: number }
  RECEIPT_CANCELLED: { id: number; at: number; by: number }
  RECEIPT_NOT_SETTLED: { id: number; endsAt: number }
  RECEIPT_NOT_A_WINNER: { id: number }
  RECEIPT_ALREADY_PAID: { id: number; at: number; by: number }
  RECEIPT_ALREADY_REFUNDED: { id: number; at: number; by: number }
  IDEMPOTENCY_KEY_REUSED: { key: string }
  TOO_MANY_KEYS: { most: number; until: number }
}
export type RefusalCode = keyof RefusalDetails
export type Refusal = {
  [C in RefusalCode]: { readonly refused: C; readonly details: RefusalDetails[C] }
}[RefusalCode]

export const refuse = <C extends RefusalCode>(refused: C, details: RefusalDetails[C]): Refusal =>
  ({ refused, details }) as unknown as Refusal

export const isRefusal = (answer: object): answer is Refusal => 'refused' in answer
