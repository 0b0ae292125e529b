import { signal } from '@preact/signals'
import type { Round } from '../api.d.ts'
import type { LiveMessage } from '../live.ts'
import { type Progress, spliced } from './race.film.ts'

// What the screen knows of its track: the round, its race so far, the last results.

export type Result = {
  readonly roundId: number
  readonly settledAt: number
  readonly order: readonly number[]
  readonly winner: number
}

const RESULTS_KEPT = 10

/** `null` where the track has had no round yet; `undefined` until the server said so. */
export const round = signal<Round | null | undefined>(undefined)
export const race = signal<Progress | undefined>(undefined)
export const results = signal<readonly Result[]>([])
export const isPaused = signal(false)

type Snapshot = {
  readonly round: Round | null
  readonly race: Progress | null
  readonly lastResults: readonly Result[]
  readonly paused: boolean
}

export const hear = (message: LiveMessage): void => {
  const { event } = message
  if (event === 'snapshot') {
    const told = message.data as Snapshot
    round.value = told.round
    results.value = told.lastResults
    isPaused.value = told.paused
    // A server that just came back has the race to tell yet: what was told of it before is the same.
    if (told.race) race.value = spliced(race.value, told.race)
    else if (race.value?.roundId !== told.round?.id) race.value = undefined
  } else if (event === 'race_progress') {
    race.value = spliced(race.value, message as unknown as Progress)
  } else if (event === 'track_paused' || event === 'track_resumed') {
    isPaused.value = event === 'track_paused'
  } else if (message.round) {
    const told = message.round as Round
    round.value = told
    if (event === 'round_opened' || event === 'round_voided') race.value = undefined
    if (event === 'round_settled' && told.result) {
      const { order, winner } = told.result
      const result = { roundId: told.id, settledAt: message.serverTime, order, winner }
      results.value = [result, ...results.value].slice(0, RESULTS_KEPT)
    }
  }
}
