import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js'

// The course of a race: where everyone is, piece by piece, from the start to the line.
//   P1. It follows from the seed, the round, its field, its order of arrival and its duration, and from nothing else.
//   P2. Until `OPEN_SHARE` of the race nothing in it depends on the order: what is shown by then tells nobody who wins.
//   P3. Its own chance uses HMAC with a purpose of its own, so that it tells nothing of the draw's.
//   P4. Nobody ever goes back, and at the end everyone stands in the order of arrival, the winner on the line.
//   P5. A position is a whole number, as fine as a screen shows it: no digit is left to hide anything in.

/** What the course is long, in the units of a position: finer than a pixel of a wide screen. */
export const COURSE_LENGTH = 4_000
/** The share of the race in which everybody may still win. */
export const OPEN_SHARE = 0.7

const PURPOSE = 'galop course 1'
const PIECE_MS = 300
const SHORTEST_PIECE_MS = 50
/** A short race has at least so many pieces, a very long one at most. */
const FEWEST_PIECES = 10
const MOST_PIECES = 1_000
/** Legs of the race at whose ends everyone's place in the pack is drawn anew. */
const LEGS = 7
/** How far from the middle of the pack chance carries anyone, and how far behind the winner the last one ends. */
const SWAY = 0.035 * COURSE_LENGTH
const SPREAD = 0.1 * COURSE_LENGTH
/** The pack's pace grows to its full until this share of the race. */
const GETAWAY = 0.04

export type Course = {
  /** How many pieces the race has: piece k is where everyone is at k ÷ pieces of its duration. Piece 0 is the start. */
  readonly pieces: number
  /** Where everyone is, in the order of the field: whole numbers from 0 to `COURSE_LENGTH`. */
  readonly at: (piece: number) => number[]
}

export type Race = {
  readonly roundId: number
  /** Numbers of those who run, as the field names them. */
  readonly field: readonly number[]
  /** The same numbers, winner first. */
  readonly order: readonly number[]
  readonly durationMs: number
}

/** Pieces of about 300 ms; fewer and shorter ones where the race is short, longer ones where it takes minutes. */
export const piecesOf = (durationMs: number): number => {
  const fewest = Math.min(FEWEST_PIECES, Math.floor(durationMs / SHORTEST_PIECE_MS))
  return Math.min(MOST_PIECES, Math.max(1, fewest, Math.round(durationMs / PIECE_MS)))
}

/** When a piece is to be shown, in milliseconds since 1970. */
export const timeOfPiece = (
  piece: number,
  pieces: number,
  { startsAt, endsAt }: { readonly startsAt: number; readonly endsAt: number },
): number => startsAt + ((endsAt - startsAt) * piece) / pieces

export const layCourse = (seed: string, { roundId, field, order, durationMs }: Race): Course => {
  const next = fractionsFrom(seed, roundId)
  const sways = field.map(() => [0])
  for (let leg = 1; leg <= LEGS; leg++) for (const sway of sways) sway.push((2 * next() - 1) * SWAY)
  const finish = finishOf(order, next)
  const ends = field.map((number) => finish.get(number)!)
  const pieces = piecesOf(durationMs)
  return {
    pieces,
    at: (piece) => {
      if (piece >= pieces) return ends
      const share = piece / pieces
      const pace = paceOf(share) * (COURSE_LENGTH - SPREAD / 2)
      const bend = bendOf(share)
      return ends.map((end, i) => {
        const free = pace + swayOf(sways[i]!, share)
        return Math.round(bend === 0 ? free : free + bend * (end - COURSE_LENGTH + SPREAD / 2 - free + pace))
      })
    },
  }
}

/** Uniform numbers in [0, 1) from HMAC-SHA256(seed, purpose LF round LF counter), 32 bits at a time. */
const fractionsFrom = (seed: string, roundId: number): (() => number) => {
  const key = hexToBytes(seed)
  let counter = 0
  let words: number[] = []
  return () => {
    if (words.length === 0) {
      const block = hmac(sha256, key, utf8ToBytes(`${PURPOSE}\n${roundId}\n${counter++}`))
      const view = new DataView(block.buffer, block.byteOffset, block.byteLength)
      words = Array.from({ length: 8 }, (_, i) => view.getUint32(4 * i))
    }
    return words.shift()! / 2 ** 32
  }
}

/** Where everyone ends: the winner on the line, the others behind it, each with some distance to the one before. */
const finishOf = (order: readonly number[], next: () => number): Map<number, number> => {
  const gaps = order.map((_, place) => (place === 0 ? 0 : 0.4 + next()))
  const sum = gaps.reduce((total, gap) => total + gap, 0)
  let behind = 0
  return new Map(
    order.map((number, place) => {
      behind += gaps[place]!
      return [number, COURSE_LENGTH - Math.round((behind / sum) * SPREAD)] as const
    }),
  )
}

/** The share of its way that the pack has made at a share of the time: from standing to an even pace. */
const paceOf = (share: number): number =>
  (share < GETAWAY ? share ** 2 / (2 * GETAWAY) : share - GETAWAY / 2) / (1 - GETAWAY / 2)

/** How far the course has bent towards the finish, from 0 while it is open to 1 at the end. */
const bendOf = (share: number): number => {
  if (share <= OPEN_SHARE) return 0
  const along = (share - OPEN_SHARE) / (1 - OPEN_SHARE)
  return along * along * (3 - 2 * along)
}

/** Between two ends of a leg along half a cosine: no jump, neither of the place nor of the pace. */
const swayOf = (sway: readonly number[], share: number): number => {
  const leg = Math.min(LEGS - 1, Math.floor(share * LEGS))
  const along = (1 - Math.cos(Math.PI * (share * LEGS - leg))) / 2
  return sway[leg]! + (sway[leg + 1]! - sway[leg]!) * along
}
