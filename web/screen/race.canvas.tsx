import { useEffect, useRef } from 'preact/hooks'
import type { Round } from '../api.d.ts'
import { placesAt, ranked } from './race.film.ts'
import { paintRace } from './race.painter.ts'
import { race } from './screen.state.ts'
import { texts } from './texts.ts'

/** The canvas, and what was painted on it last: places by the server's time, for whoever compares screens. */
export type RaceCanvas = HTMLCanvasElement & { painted?: { readonly at: number; readonly places: number[] } }

const LEADERS_NAMED = 3
/** The box behind a television paints this many in time; the rest is left to its scaler. */
const MOST_PIXELS_WIDE = 1_280

/** The race, painted anew for every frame of the browser. */
export const RaceView = ({ round, now }: { readonly round: Round; readonly now: () => number }) => {
  const ref = useRef<RaceCanvas>(null)
  useEffect(() => {
    const canvas = ref.current!
    const context = canvas.getContext('2d', { alpha: false })!
    let frame = 0
    const paint = (): void => {
      frame = requestAnimationFrame(paint)
      const scale = Math.min(1, MOST_PIXELS_WIDE / canvas.clientWidth)
      const width = Math.round(canvas.clientWidth * scale)
      const height = Math.round(canvas.clientHeight * scale)
      if (canvas.width !== width || canvas.height !== height) {
        canvas.width = width
        canvas.height = height
      }
      const known = race.value
      const at = now()
      const places =
        known?.roundId === round.id ? placesAt(known, round, at) : round.participants.map(() => 0)
      paintRace(context, width, height, round.participants, places)
      canvas.painted = { at, places }
    }
    paint()
    return () => cancelAnimationFrame(frame)
  }, [round, now])

  const known = race.value
  const leaders =
    known?.roundId === round.id
      ? ranked(placesAt(known, round, now()))
          .slice(0, LEADERS_NAMED)
          .map((i) => round.participants[i]!.number)
      : []
  return <canvas ref={ref} class="race" role="img" aria-label={texts.value.leaders(leaders.join(', '))} />
}
