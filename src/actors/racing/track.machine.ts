import { setup } from 'xstate'

// A track runs one round after another. Like a round, it goes on when the fact is on disk.

export type TrackInput = {
  /** Opens the next round; the track hears of it by `RoundOpened`, or asks again. */
  readonly openRound: () => void
  /** Milliseconds until the next round is due; 0 where there is none before it, endless while the track is paused. */
  readonly untilNext: () => number
  /** Whether the latest round is over, so that the track may rest. */
  readonly isOver: () => boolean
}
export type TrackEvent = { readonly type: 'RoundOpened' | 'RoundSettled' | 'RoundVoided' }

const RETRY_MS = 1_000

export const trackMachine = setup({
  types: { context: {} as TrackInput, events: {} as TrackEvent, input: {} as TrackInput },
  actions: { openRound: ({ context }) => context.openRound() },
  delays: {
    retry: RETRY_MS,
    untilNext: ({ context }) => Math.min(RETRY_MS, context.untilNext()),
  },
  guards: {
    isOver: ({ context }) => context.isOver(),
    isDue: ({ context }) => context.untilNext() === 0,
  },
}).createMachine({
  id: 'track',
  context: ({ input }) => input,
  initial: 'starting',
  states: {
    starting: { always: [{ guard: 'isOver', target: 'resting' }, { target: 'racing' }] },
    opening: {
      entry: 'openRound',
      after: { retry: { target: 'opening', reenter: true } },
      on: { RoundOpened: 'racing' },
    },
    racing: { on: { RoundSettled: 'resting', RoundVoided: 'resting' } },
    resting: {
      after: {
        untilNext: [
          { guard: 'isDue', target: 'opening' },
          { target: 'resting', reenter: true },
        ],
      },
    },
  },
})
