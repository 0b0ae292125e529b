import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { layCourse } from '../../src/domain/racing/course.ts'
import { type Progress, placesAt, ranked, spliced } from '../../web/screen/race.film.ts'

const field = [1, 2, 3, 4]
const { pieces, at } = layCourse('ab'.repeat(32), {
  roundId: 7,
  field,
  order: [3, 1, 4, 2],
  durationMs: 20_000,
})
const times = { startsAt: 100_000, endsAt: 120_000 }
const told = (first: number, count: number): Progress => ({
  roundId: 7,
  length: 4_000,
  pieces,
  first,
  positions: Array.from({ length: count }, (_, i) => at(first + i)),
})
const whole = told(0, pieces + 1)

describe('the film of a race', () => {
  it('begins on the line and ends in the order of arrival, with the winner over it', () => {
    expect(placesAt(whole, times, times.startsAt - 5_000)).toEqual([0, 0, 0, 0])
    const end = placesAt(whole, times, times.endsAt + 5_000)
    expect(ranked(end).map((i) => field[i])).toEqual([3, 1, 4, 2])
    expect(Math.max(...end)).toBe(1)
  })

  it('is where the pieces say at their times, and between them nobody goes back', () => {
    for (let piece = 0; piece <= pieces; piece++)
      expect(placesAt(whole, times, times.startsAt + (20_000 * piece) / pieces)).toEqual(
        at(piece).map((place) => expect.closeTo(place / 4_000, 4)),
      )
    let before = [0, 0, 0, 0]
    for (let now = times.startsAt; now <= times.endsAt; now += 16) {
      const places = placesAt(whole, times, now)
      expect(places.every((place, i) => place >= before[i]! - 1e-12)).toBe(true)
      before = places
    }
  })

  it('is the same for a screen that has just come, as soon as it has the next two pieces (F1)', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 3, max: pieces }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (count, share) => {
          const now = times.startsAt + (20_000 * (count - 3 + share)) / pieces
          expect(placesAt(told(0, count), times, now)).toEqual(placesAt(whole, times, now))
        },
      ),
    )
  })

  it('waits at the last piece that it has (F2)', () => {
    const some = told(0, 10)
    const last = at(9).map((place) => place / 4_000)
    expect(placesAt(some, times, times.endsAt)).toEqual(last)
  })
})

describe('what is known of a race', () => {
  it('grows by what is told, and starts over with another race', () => {
    const known = spliced(spliced(undefined, told(0, 3)), told(3, 2))
    expect(known).toEqual(told(0, 5))
    expect(spliced(known, { ...told(0, 2), roundId: 8 })).toMatchObject({ roundId: 8, first: 0 })
  })

  it('is not forgotten where a server that came back tells less of it', () => {
    const known = told(0, 20)
    expect(spliced(known, told(0, 12))).toEqual(known)
    expect(spliced(known, told(0, 25))).toEqual(told(0, 25))
    expect(spliced(known, told(12, 10))).toEqual(told(0, 22))
  })
})
