import { useEffect, useState } from 'preact/hooks'
import type { LiveFigures } from '../api.d.ts'
import { texts } from './texts.ts'

const TICK_MS = 500

/** Seconds to what comes next, by the server's clock. */
export const Countdown = ({
  figures,
  now,
}: {
  readonly figures: LiveFigures
  readonly now: () => number
}) => {
  const [, tick] = useState(0)
  useEffect(() => {
    const timer = setInterval(() => tick((count) => count + 1), TICK_MS)
    return () => clearInterval(timer)
  }, [])
  const { round, paused } = figures
  if (round.status === 'settled' && paused) return null
  const { locks, starts, ends, next } = texts.value.live.countdown
  const turns = {
    waiting: [round.locksAt, locks],
    'betting-locked': [round.startsAt, starts],
    running: [round.endsAt, ends],
    settled: [round.nextAt, next],
  } as const
  const [at, words] = turns[round.status]
  return <span>{words(Math.max(0, Math.ceil((at - now()) / 1_000)))}</span>
}
