import { commitmentOf, drawPlaces, type PlaceDrawn } from './draw.ts'

// Checking what a server proves of a round, from nothing but the seed that it revealed.
//   Q1. What the server says is compared, never used: commitment, anchor and order are computed again from the seed.

/** As the route of a round's proof answers. */
export type Proof = {
  readonly roundId: number
  readonly commitment: string
  readonly chain: { readonly anchor: string; readonly index: number }
  readonly field: readonly { readonly number: number; readonly name: string; readonly chance: number }[]
  /** `null` until the race is over. */
  readonly seed: string | null
  readonly order: readonly number[] | null
  readonly voided: boolean
}

export type Compared = { readonly said: string; readonly computed: string; readonly isRight: boolean }
export type Checked = {
  /** sha256 of the seed, and what was published before the first bet. */
  readonly commitment: Compared
  /** The commitment that somebody kept, of a receipt or a screen, and what the server says now. */
  readonly kept: Compared | undefined
  /** The seed hashed `hashes` times, and what was published of the whole chain before its first round. */
  readonly chain: Compared & { readonly hashes: number }
  readonly places: readonly PlaceDrawn[]
  /** `undefined` of a voided round, which has no order. */
  readonly order: Compared | undefined
  readonly isRight: boolean
}

const SEED = /^[0-9a-f]{64}$/
/** Longer than any chain, so that an absurd proof is not hashed for ever. */
const LONGEST_CHAIN = 1_000_000

/** @returns `undefined` while the seed is not revealed. @throws RangeError where the proof is not one at all */
export const checkProof = (proof: Proof, keptCommitment?: string): Checked | undefined => {
  const { roundId, seed, field, chain, voided } = proof
  if (seed === null) return undefined
  if (!SEED.test(seed)) throw new RangeError('the seed is not 32 bytes in hexadecimal')
  if (!Number.isSafeInteger(chain.index) || chain.index < 0 || chain.index > LONGEST_CHAIN)
    throw new RangeError('the place in the chain is not a number that a chain has')
  if (field.length === 0 || !field.every(({ chance }) => Number.isSafeInteger(chance) && chance > 0))
    throw new RangeError('the field is not one that can be drawn from')
  const hashes = chain.index + 1
  let anchor = seed
  for (let i = 0; i < hashes; i++) anchor = commitmentOf(anchor)
  const places = voided ? [] : drawPlaces(seed, roundId, field)
  const commitment = compared(proof.commitment, commitmentOf(seed))
  const kept = keptCommitment === undefined ? undefined : compared(keptCommitment, proof.commitment)
  const anchored = { ...compared(chain.anchor, anchor), hashes }
  const order = voided
    ? undefined
    : compared((proof.order ?? []).join(' '), places.map(({ number }) => number).join(' '))
  const all = [commitment, kept, anchored, order]
  const isRight = all.every((one) => one === undefined || one.isRight)
  return { commitment, kept, chain: anchored, places, order, isRight }
}

const compared = (said: string, computed: string): Compared => ({
  said,
  computed,
  isRight: said === computed,
})
