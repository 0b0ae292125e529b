// The film of a race, from the pieces that the server tells (docs/websocket.md).
//   F1. Where everyone is depends on the pieces and the server's time alone: all screens show the same at the same moment.
//   F2. Nobody is shown where no piece says so: without the next piece everybody waits at the last one.

/** As the server tells it: positions from 0 to `length`, of piece `first` and those after it. */
export type Progress = {
  readonly roundId: number
  readonly length: number
  readonly pieces: number
  readonly first: number
  readonly positions: readonly (readonly number[])[]
}
export type Times = { readonly startsAt: number; readonly endsAt: number }

/** All that is known of a race when this was told after that. */
export const spliced = (known: Progress | undefined, told: Progress): Progress => {
  if (told.first === 0 || known === undefined || known.roundId !== told.roundId)
    return told.first === 0 &&
      known?.roundId === told.roundId &&
      known.positions.length > told.positions.length
      ? known
      : told
  const before = known.positions.slice(0, told.first)
  return { ...told, first: 0, positions: [...before, ...told.positions] }
}

/** Where everyone is at a moment of the server's clock: 0 at the start, 1 on the line. */
export const placesAt = (
  { length, pieces, positions }: Progress,
  { startsAt, endsAt }: Times,
  now: number,
): number[] => {
  const last = positions.length - 1
  const along = (Math.max(0, Math.min(1, (now - startsAt) / (endsAt - startsAt))) || 0) * pieces
  const from = Math.min(last, Math.floor(along))
  const to = Math.min(last, from + 1)
  const share = to === from ? 0 : along - from
  return positions[from]!.map((_, i) => {
    const at = (piece: number): number => positions[Math.max(0, Math.min(last, piece))]![i]!
    const place = smoothly(at(from - 1), at(from), at(to), at(to + 1), share)
    return Math.max(at(from), Math.min(at(to), place)) / length
  })
}

/** Catmull and Rom's curve from b to c, with a before and d after them: it has no corners where pieces meet. */
const smoothly = (a: number, b: number, c: number, d: number, share: number): number =>
  b + (share * (c - a + share * (2 * a - 5 * b + 4 * c - d + share * (3 * (b - c) + d - a)))) / 2

/** Indices into the field, who is ahead first; of those side by side the first in the field. */
export const ranked = (places: readonly number[]): number[] =>
  places.map((_, i) => i).sort((a, b) => places[b]! - places[a]! || a - b)
