import { computed, effect, signal } from '@preact/signals'
import type { Round } from '../api.d.ts'
import { ask } from '../client.ts'
import { Live, type LiveMessage } from '../live.ts'
import { person } from '../session.tsx'
import { shop } from '../shop.ts'
import { stored } from './storage.ts'

// The race of the moment on the chosen track, and the server's clock.

const TRACK = 'galop.station.track'
const TICK_MS = 200
/** Another station may take up what a round can still pay. */
const LIMITS_EVERY_MS = 15_000

const chosen = signal<string | undefined>(stored.read(TRACK))
/** The track that is sold on: the one chosen here before, if there still is one of that name. */
export const track = computed(() => {
  const tracks = shop.value?.tracks ?? []
  return tracks.find((one) => one === chosen.value) ?? tracks[0]
})
export const chooseTrack = (name: string): void => {
  stored.write(TRACK, name)
  chosen.value = name
}

export const round = signal<Round | undefined>(undefined)
/** No round follows this one for now. */
export const isPaused = signal(false)
/** Counts changes of receipts that this person hears of. */
export const receiptsChanged = signal(0)
/** The largest stake that each number takes now, where that is less than the shop's limit. */
export const largestStakes = signal<Readonly<Record<string, number>>>({})
const live = signal<Live | undefined>(undefined)
/** The server's clock, a few times a second. */
export const now = signal(Date.now())

export const liveState = computed(() => live.value?.state.value ?? 'connecting')

export type Phase = Round['status'] | 'voided' | 'none'

/** By the clock too: a message may be late, and the lock does not wait for it. */
export const phase = computed<Phase>(() => {
  const one = round.value
  if (!one) return 'none'
  if (one.voided) return 'voided'
  if (one.status === 'waiting' && now.value >= one.locksAt) return 'betting-locked'
  return one.status
})
export const isOpen = computed(() => phase.value === 'waiting')

/** Until what comes next: the lock, the start, the end, the next round. */
export const secondsLeft = computed(() => {
  const one = round.value
  if (!one) return 0
  const until = {
    waiting: one.locksAt,
    'betting-locked': one.startsAt,
    running: one.endsAt,
    settled: one.nextAt,
    voided: one.nextAt,
    none: 0,
  }[phase.value]
  return Math.max(0, Math.ceil((until - now.value) / 1_000))
})

const hear = (message: LiveMessage): void => {
  if (message.topic === 'receipts') {
    receiptsChanged.value += 1
    return
  }
  switch (message.event) {
    case 'snapshot': {
      const { round: current, paused } = message.data as { round: Round | null; paused?: boolean }
      round.value = current ?? undefined
      isPaused.value = paused === true
      receiptsChanged.value += 1
      return
    }
    case 'track_paused':
    case 'track_resumed':
      isPaused.value = message.paused === true
      return
    default:
      if (message.round) round.value = message.round as Round
  }
}

export const refreshLimits = async (): Promise<void> => {
  const id = round.value?.id
  if (id === undefined || !isOpen.value) return
  const answer = await ask('GET /api/v1/rounds/{id}', { path: { id } })
  if (answer.ok) largestStakes.value = answer.data.stats?.largestStakes ?? {}
}

/** Follows the chosen track for as long as somebody is signed in. */
export const followRaces = (): (() => void) => {
  const stops = [
    effect(() => {
      const name = track.value
      if (name === undefined || !person.value) return
      const one = new Live({
        topics: ['race', 'receipts'],
        track: name,
        onMessage: hear,
        onSignedOut: () => {
          person.value = null
        },
      })
      live.value = one
      one.start()
      return () => {
        one.stop()
        round.value = undefined
      }
    }),
    effect(() => {
      if (round.value?.id !== undefined && isOpen.value) void refreshLimits()
    }),
  ]
  const tick = setInterval(() => {
    now.value = live.peek()?.now() ?? Date.now()
  }, TICK_MS)
  const limits = setInterval(() => void refreshLimits(), LIMITS_EVERY_MS)
  return () => {
    for (const stop of stops) stop()
    clearInterval(tick)
    clearInterval(limits)
  }
}
