import { hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import { type Hashing, hashingInJavaScript } from './hashing.ts'

// Receipt numbers: the station's number and six digits that look random and never repeat.
//   N1. Digits are a keyed permutation of a durable counter: distinct counters give distinct numbers.
//   N2. When the million of six digits is used up, numbers grow by a digit, and again after ten million more.

const ROUNDS = 8
const FIRST_DIGITS = 6

type Wheel = (counter: number) => number
type Keyed = ReturnType<Hashing['hmac']>

/** Whole numbers below `limit` for every input below `size`, from HMAC-SHA256 under the key. */
const table = (hash: Keyed, label: string, size: number, limit: number): Uint32Array => {
  const values = new Uint32Array(size)
  for (let i = 0; i < size; i += 8) {
    const block = hash(utf8ToBytes(`${label}\n${i}`))
    const view = new DataView(block.buffer, block.byteOffset)
    for (let j = 0; j < 8 && i + j < size; j++) values[i + j] = view.getUint32(j * 4) % limit
  }
  return values
}

/** Permutation of [0, 10^digits): an alternating Feistel network over the two halves of the digits, tables made once. */
const permutation = (hash: Keyed, digits: number): Wheel => {
  const high = 10 ** Math.floor(digits / 2)
  const low = 10 ** Math.ceil(digits / 2)
  const tables = Array.from({ length: ROUNDS }, (_, round) =>
    round % 2 === 0
      ? table(hash, `receipt ${digits} ${round}`, low, high)
      : table(hash, `receipt ${digits} ${round}`, high, low),
  )
  return (counter) => {
    let left = Math.floor(counter / low)
    let right = counter % low
    for (let round = 0; round < ROUNDS; round++) {
      if (round % 2 === 0) left = (left + tables[round]![right]!) % high
      else right = (right + tables[round]![left]!) % low
    }
    return left * low + right
  }
}

/**
 * Makes the receipt ids of a station: `(counter) => id`, e.g. station `01` → 1034521, printed `01034521`.
 * @throws RangeError where the station is no number above zero: its ids would repeat once they grow by a digit
 */
export const receiptNumbers = (
  station: string,
  key: string,
  hashing: Hashing = hashingInJavaScript,
): ((counter: number) => number) => {
  if (!/^\d+$/.test(station) || Number(station) === 0)
    throw new RangeError(`a station's number is made of digits and is not zero, but this one is "${station}"`)
  const hash = hashing.hmac(hexToBytes(key))
  const wheels = new Map<number, Wheel>()
  return (counter) => {
    let digits = FIRST_DIGITS
    let index = counter
    while (index >= 10 ** digits) index -= 10 ** digits++
    let wheel = wheels.get(digits)
    if (!wheel) {
      wheel = permutation(hash, digits)
      wheels.set(digits, wheel)
    }
    return Number(station) * 10 ** digits + wheel(index)
  }
}

/** The printed form of a receipt's id: the station's zeros, which a JSON number loses, are back. */
export const printedNumber = (station: string, id: number): string => {
  const bare = String(Number(station))
  const text = String(id)
  return text.startsWith(bare)
    ? station + text.slice(bare.length)
    : text.padStart(station.length + FIRST_DIGITS, '0')
}
