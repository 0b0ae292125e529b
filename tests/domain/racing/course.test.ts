import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  COURSE_LENGTH,
  layCourse,
  OPEN_SHARE,
  piecesOf,
  type Race,
  timeOfPiece,
} from '../../../src/domain/racing/course.ts'
import { drawOrder, seedChain } from '../../../src/domain/racing/draw.ts'
import { DEFAULT_FIELD } from '../../../src/domain/racing/field.ts'

const seeds = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => Buffer.from(bytes).toString('hex'))
const durations = fc.oneof(
  fc.integer({ min: 50, max: 120_000 }),
  fc.constantFrom(50, 400, 20_000, 86_400_000),
)
const fields = fc
  .array(fc.integer({ min: 1, max: 1_000 }), { minLength: 2, maxLength: 30 })
  .map((chances) => chances.map((chance, i) => ({ number: i + 1, chance })))
const races = fc
  .tuple(seeds, fc.integer({ min: 1, max: 2 ** 40 }), fields, durations)
  .map(([seed, roundId, entries, durationMs]) => ({
    seed,
    race: {
      roundId,
      field: entries.map(({ number }) => number),
      order: drawOrder(seed, roundId, entries),
      durationMs,
    },
  }))

const all = (seed: string, race: Race): number[][] => {
  const { pieces, at } = layCourse(seed, race)
  return Array.from({ length: pieces + 1 }, (_, piece) => at(piece))
}
/** Numbers in the order in which they are ahead of each other. */
const ranking = (field: readonly number[], positions: readonly number[]): number[] =>
  field
    .map((number, i) => ({ number, at: positions[i]! }))
    .sort((a, b) => b.at - a.at)
    .map(({ number }) => number)

describe('the course of a race', () => {
  it('starts from the line with everyone, and ends in the order of arrival with the winner on the line', () => {
    fc.assert(
      fc.property(races, ({ seed, race }) => {
        const course = all(seed, race)
        expect(course[0]!.every((at) => at === 0)).toBe(true)
        const end = course.at(-1)!
        expect(ranking(race.field, end)).toEqual(race.order)
        expect(new Set(end).size).toBe(race.field.length)
        expect(Math.max(...end)).toBe(COURSE_LENGTH)
      }),
      { numRuns: 40 },
    )
  })

  it('takes nobody back, and nobody over the line before the end (P4, P5)', () => {
    fc.assert(
      fc.property(races, ({ seed, race }) => {
        const course = all(seed, race)
        const isSound = (at: number, i: number, piece: number): boolean =>
          Number.isInteger(at) && at >= course[piece - 1]![i]! && at <= COURSE_LENGTH
        for (let piece = 1; piece < course.length; piece++)
          expect(course[piece]!.filter((at, i) => !isSound(at, i, piece))).toEqual([])
      }),
      { numRuns: 40 },
    )
  })

  it('is the same whoever wins, until it begins to bend towards the finish (P2)', () => {
    fc.assert(
      fc.property(races, fc.integer({ min: 1, max: 29 }), ({ seed, race }, turn) => {
        const by = turn % race.order.length
        const other = { ...race, order: [...race.order.slice(by), ...race.order.slice(0, by)] }
        const [one, two] = [layCourse(seed, race), layCourse(seed, other)]
        for (let piece = 0; piece / one.pieces <= OPEN_SHARE; piece++)
          expect(one.at(piece)).toEqual(two.at(piece))
        if (by > 0) expect(one.at(one.pieces)).not.toEqual(two.at(two.pieces))
      }),
      { numRuns: 40 },
    )
  })

  it('of one seed and round is what it always was', () => {
    const field = DEFAULT_FIELD.map(({ number }) => number)
    const seed = '11'.repeat(32)
    const course = all(seed, { roundId: 42, field, order: [1, 2, 3, 6, 4, 5], durationMs: 30_000 })
    expect(course).toHaveLength(101)
    expect(createHash('sha256').update(JSON.stringify(course)).digest('hex')).toMatchInlineSnapshot(
      `"b5550eac05e3d2c7d31307cc8794843401f9b6e1a8d0b6ddf27e4cb10ac2f874"`,
    )
    expect(all(seed, { roundId: 43, field, order: [1, 2, 3, 6, 4, 5], durationMs: 30_000 })[50]).not.toEqual(
      course[50],
    )
  })

  it('shows by the leader at 60 % no more of the winner than chance does, over 3,000 races', () => {
    const field = DEFAULT_FIELD.map(({ number }) => number)
    const total = DEFAULT_FIELD.reduce((sum, one) => sum + one.chance, 0)
    const RACES = 3_000
    let leaderWon = 0
    let expected = 0
    let lateLeaderWon = 0
    for (const [i, seed] of seedChain('c7'.repeat(32), RACES).entries()) {
      const roundId = i + 1
      const order = drawOrder(seed, roundId, DEFAULT_FIELD)
      const { at, pieces } = layCourse(seed, { roundId, field, order, durationMs: 30_000 })
      const leader = ranking(field, at(Math.floor(0.6 * pieces)))[0]!
      expected += DEFAULT_FIELD.find(({ number }) => number === leader)!.chance / total
      if (leader === order[0]) leaderWon++
      if (ranking(field, at(Math.floor(0.95 * pieces)))[0] === order[0]) lateLeaderWon++
    }
    // Each race is won by the leader with its own chance: the variance of the count is at most a quarter of the races.
    expect(Math.abs(leaderWon - expected)).toBeLessThan(4.5 * Math.sqrt(RACES / 4))
    // The same guess late in the race is right: the check above can fail.
    expect(lateLeaderWon - expected).toBeGreaterThan(0.5 * RACES)
  })
})

describe('the pieces of a course', () => {
  it('take about 300 ms each, are ten at least where there is time for them, and never too many', () => {
    expect([50, 120, 1_000, 2_000, 20_000, 30_000, 86_400_000].map(piecesOf)).toEqual([
      1, 2, 10, 10, 67, 100, 1_000,
    ])
    expect([0, 5, 10].map((piece) => timeOfPiece(piece, 10, { startsAt: 1_000, endsAt: 2_000 }))).toEqual([
      1_000, 1_500, 2_000,
    ])
  })
})
