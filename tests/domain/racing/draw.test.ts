import { createHash, createHmac } from 'node:crypto'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { commitmentOf, drawOrder, seedChain } from '../../../src/domain/racing/draw.ts'
import { DEFAULT_FIELD } from '../../../src/domain/racing/field.ts'
import { priceField } from '../../../src/domain/racing/odds.ts'

type Runner = { readonly number: number; readonly chance: number }

const SEED = '11'.repeat(32)
const sha256 = (hex: string): string => createHash('sha256').update(Buffer.from(hex, 'hex')).digest('hex')
const seeds = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => Buffer.from(bytes).toString('hex'))
const roundIds = fc.integer({ min: 1, max: 2 ** 40 })
const fields = fc
  .array(fc.integer({ min: 1, max: 1_000_000 }), { minLength: 2, maxLength: 30 })
  .map((chances): Runner[] => chances.map((chance, i) => ({ number: i + 1, chance })))

/** The draw as anybody may write it down again from its description, with Node's own hashes and big integers. */
const drawAgain = (seed: string, roundId: number, field: readonly Runner[]): number[] => {
  let counter = 0
  const next = (limit: bigint): bigint => {
    for (;;) {
      const text = `galop order of arrival 1\n${roundId}\n${counter++}`
      const block = createHmac('sha256', Buffer.from(seed, 'hex')).update(text).digest('hex')
      const number = BigInt(`0x${block.slice(0, 12)}`)
      if (number < (1n << 48n) - ((1n << 48n) % limit)) return number % limit
    }
  }
  let running = [...field]
  const order: number[] = []
  while (running.length > 0) {
    const ticket = next(BigInt(running.reduce((sum, one) => sum + one.chance, 0)))
    let passed = 0n
    const arrived = running.find((one) => {
      passed += BigInt(one.chance)
      return ticket < passed
    })!
    order.push(arrived.number)
    running = running.filter((one) => one !== arrived)
  }
  return order
}

describe('the order of arrival', () => {
  // Published proofs rest on these: a change here makes every past race unverifiable.
  it.each([
    [SEED, 42, DEFAULT_FIELD, [1, 2, 3, 6, 4, 5]],
    [SEED, 43, DEFAULT_FIELD, [3, 2, 6, 4, 1, 5]],
    ['22'.repeat(32), 42, DEFAULT_FIELD, [2, 6, 1, 5, 3, 4]],
    ['00'.repeat(32), 1, DEFAULT_FIELD, [3, 1, 2, 6, 5, 4]],
    ['ff'.repeat(32), 2_147_483_647, DEFAULT_FIELD, [1, 4, 3, 2, 5, 6]],
    [SEED, 42, [10, 20, 30].map((number) => ({ number, chance: 1 })), [10, 20, 30]],
    [
      SEED,
      42,
      Array.from({ length: 30 }, (_, i) => ({ number: i + 1, chance: 1_000_000 - i })),
      [
        29, 16, 6, 1, 17, 5, 28, 2, 8, 14, 22, 21, 20, 30, 3, 12, 15, 24, 9, 23, 13, 27, 11, 26, 25, 19, 10,
        18, 4, 7,
      ],
    ],
  ])('of seed %s and round %i is what it always was', (seed, roundId, field, order) => {
    expect(drawOrder(seed, roundId, field)).toEqual(order)
  })

  it('can be verified with nothing but sha256, HMAC and its description', () => {
    fc.assert(
      fc.property(seeds, roundIds, fields, (seed, roundId, field) => {
        expect(drawOrder(seed, roundId, field)).toEqual(drawAgain(seed, roundId, field))
      }),
    )
  })

  it('names everyone in the field once', () => {
    fc.assert(
      fc.property(seeds, roundIds, fields, (seed, roundId, field) => {
        const arrived = [...drawOrder(seed, roundId, field)].sort((a, b) => a - b)
        expect(arrived).toEqual(field.map((one) => one.number))
      }),
    )
  })

  it('depends on the seed, the round and the chances, and on nothing else', () => {
    const wide = Array.from({ length: 20 }, (_, i) => ({ number: i + 1, chance: 10 + i }))
    const order = drawOrder(SEED, 42, wide)
    expect(drawOrder('12'.repeat(32), 42, wide)).not.toEqual(order)
    expect(drawOrder(SEED, 43, wide)).not.toEqual(order)
    expect(drawOrder(SEED, 42, [...wide].reverse())).not.toEqual(order)
    const named = wide.map((one) => ({ ...one, name: 'Éclair', coeff: 9_999, bets: 1_000_000 }))
    expect(drawOrder(SEED, 42, named)).toEqual(order)
    expect(drawOrder(SEED, 42, wide)).toEqual(order)
  })

  it('leaves the field that it was given as it was', () => {
    const field = Object.freeze([...DEFAULT_FIELD])
    drawOrder(SEED, 42, field)
    expect(field).toEqual(DEFAULT_FIELD)
  })
})

describe('the commitment', () => {
  it('is the sha256 of the seed', () => {
    expect(commitmentOf(SEED)).toBe('02d449a31fbb267c8f352e9968a79e3e5fc95c1bbeaa502fd6454ebde5a4bedc')
    fc.assert(
      fc.property(seeds, (seed) => {
        expect(commitmentOf(seed)).toBe(sha256(seed))
      }),
    )
  })

  it('gives the outcome away to nobody: what can be computed from it is right no more often than by guessing', () => {
    const rounds = 3_000
    const guessed = [0, 0, 0]
    for (const [i, seed] of seedChain('c0'.repeat(32), rounds).entries()) {
      const winner = drawOrder(seed, i, DEFAULT_FIELD)[0]
      const commitment = commitmentOf(seed)
      const guesses = [commitment, commitmentOf(commitment), sha256(seed + commitment)]
      guesses.forEach((guess, way) => {
        if (drawOrder(guess, i, DEFAULT_FIELD)[0] === winner) guessed[way]!++
      })
    }
    // Two independent draws agree with probability Σp².
    const agree = DEFAULT_FIELD.reduce((sum, one) => sum + (one.chance / 1000) ** 2, 0)
    const bound = 4.5 * Math.sqrt(agree * (1 - agree) * rounds)
    for (const count of guessed) expect(Math.abs(count - agree * rounds)).toBeLessThan(bound)
  })
})

describe('the chain of seeds', () => {
  it('is made backwards from its secret: each seed is the sha256 of the next', () => {
    expect(seedChain(SEED, 4)).toEqual([
      '175e2b04a64e93b5928d0f64f2fc0ffbcdcd98be473e08d5c2a4eda3724126d3',
      '59420d36b80353ed5a5822ca464cc9bffb8abe9cd63959651d3cd85a8252d83f',
      '02d449a31fbb267c8f352e9968a79e3e5fc95c1bbeaa502fd6454ebde5a4bedc',
      SEED,
    ])
    const chain = seedChain('5e'.repeat(32), 500)
    for (let i = 0; i + 1 < chain.length; i++) expect(sha256(chain[i + 1]!)).toBe(chain[i])
    expect(chain.at(-1)).toBe('5e'.repeat(32))
    expect(new Set(chain).size).toBe(chain.length)
  })
})

describe('over 60,000 races', () => {
  const RACES = 60_000
  const field = priceField(DEFAULT_FIELD, 0.88)
  const total = field.reduce((sum, one) => sum + one.chance, 0)
  const first = new Map(field.map((one) => [one.number, 0]))
  const second = new Map(field.map((one) => [one.number, 0]))
  /** What a stake of 100 brought back in each race, on one participant after another. */
  let returned = 0
  let squares = 0
  beforeAll(() => {
    for (const [race, seed] of seedChain('60'.repeat(32), RACES).entries()) {
      const [winner, next] = drawOrder(seed, race + 1, field)
      first.set(winner!, first.get(winner!)! + 1)
      second.set(next!, second.get(next!)! + 1)
      const backed = field[race % field.length]!
      const back = backed.number === winner ? backed.coeff : 0
      returned += back
      squares += back * back
    }
  }, 120_000)

  /** Σ (observed − expected)² / expected */
  const chiSquare = (
    observed: ReadonlyMap<number, number>,
    probability: (number: number) => number,
  ): number =>
    [...observed].reduce((sum, [number, count]) => {
      const expected = probability(number) * RACES
      return sum + (count - expected) ** 2 / expected
    }, 0)
  const chanceOf = (number: number): number => field.find((one) => one.number === number)!.chance / total
  // With five degrees of freedom a fair draw exceeds this once in 100,000 times.
  const FAIR = 30.86

  it('players get back what is configured, within 4.5 standard errors', () => {
    const mean = returned / RACES / 100
    const variance = squares / RACES / 10_000 - mean ** 2
    const priced =
      field.reduce((sum, one) => sum + (one.coeff / 100) * chanceOf(one.number), 0) / field.length
    expect(Math.abs(mean - priced)).toBeLessThan(4.5 * Math.sqrt(variance / RACES))
    expect(priced).toBeLessThanOrEqual(0.88)
    expect(priced).toBeGreaterThan(0.879)
  })

  it('everyone wins as often as the chances say', () => {
    expect(chiSquare(first, chanceOf)).toBeLessThan(FAIR)
  })

  it('second places follow the chances of those who did not win', () => {
    const chanceOfSecond = (number: number): number =>
      field.reduce((sum, one) => {
        if (one.number === number) return sum
        const won = chanceOf(one.number)
        return sum + (won * chanceOf(number)) / (1 - won)
      }, 0)
    expect(chiSquare(second, chanceOfSecond)).toBeLessThan(FAIR)
  })
})
