import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import { type Hashing, hashingInJavaScript } from './hashing.ts'

// The draw: commit first, reveal later, and anyone can check.
//   D1. The commitment of a round is sha256(seed); it is public before the first bet.
//   D2. The order of arrival is a function of the seed, the round's id and the field, never of the bets.
//   D3. The outcome uses HMAC with a purpose, so that the commitment, which is a plain hash, gives nothing away.
//   D4. Seeds come from a hash chain: sha256(seed of a round) is the seed of the round before, so none is chosen late.

const PURPOSE = 'galop order of arrival 1'

/** sha256 of a seed, both in hexadecimal. */
export const commitmentOf = (seed: string): string => bytesToHex(sha256(hexToBytes(seed)))

/**
 * All seeds of a chain, first to last: `seeds[i] = sha256(seeds[i + 1])`, the last being the secret.
 * The anchor, `sha256(seeds[0])`, is the commitment of the chain's first round.
 */
export const seedChain = (
  secret: string,
  length: number,
  hashing: Hashing = hashingInJavaScript,
): string[] => {
  const seeds = new Array<string>(length)
  let seed: Uint8Array = hexToBytes(secret)
  for (let i = length - 1; i >= 0; i--) {
    seeds[i] = bytesToHex(seed)
    seed = hashing.sha256(seed)
  }
  return seeds
}

const SPAN = 2 ** 48

type Drawn = { readonly number: number; readonly block: number }

/**
 * Uniform whole numbers in [0, limit) from HMAC-SHA256(seed, purpose ‖ round ‖ counter), 48 bits at a time, unbiased by
 * rejection; each with the counter that it came from.
 */
const numbersFrom = (seed: string, roundId: number): ((limit: number) => Drawn) => {
  const key = hexToBytes(seed)
  let counter = 0
  return (limit) => {
    const fair = SPAN - (SPAN % limit)
    for (;;) {
      const hash = hmac(sha256, key, utf8ToBytes(`${PURPOSE}\n${roundId}\n${counter++}`))
      const number =
        new DataView(hash.buffer, hash.byteOffset).getUint32(0) * 2 ** 16 + ((hash[4]! << 8) | hash[5]!)
      if (number < fair) return { number: number % limit, block: counter - 1 }
    }
  }
}

type Runner = { readonly number: number; readonly chance: number }

/** How one place was drawn: `ticket` of `chances`, from HMAC number `block`, fell to `number`. */
export type PlaceDrawn = {
  readonly number: number
  readonly chance: number
  readonly block: number
  readonly ticket: number
  /** The sum of the chances of those who were still running. */
  readonly chances: number
}

/**
 * The order of arrival: places are drawn one after another, each with probability chance ÷ chances of those
 * still running (the Plackett–Luce model), so that the winner follows the chances that the odds were priced from.
 * @returns the places, winner first
 */
export const drawPlaces = (seed: string, roundId: number, field: readonly Runner[]): PlaceDrawn[] => {
  const next = numbersFrom(seed, roundId)
  const running = [...field]
  const places: PlaceDrawn[] = []
  while (running.length > 0) {
    const chances = running.reduce((sum, one) => sum + one.chance, 0)
    const { number: ticket, block } = next(chances)
    let left = ticket
    const place = running.findIndex((one) => {
      left -= one.chance
      return left < 0
    })
    const { number, chance } = running.splice(place, 1)[0]!
    places.push({ number, chance, block, ticket, chances })
  }
  return places
}

/** The participants' numbers as `drawPlaces` draws them, winner first. */
export const drawOrder = (seed: string, roundId: number, field: readonly Runner[]): number[] =>
  drawPlaces(seed, roundId, field).map(({ number }) => number)
