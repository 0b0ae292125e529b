import { setup } from 'xstate'
import type { Command, VoidRound } from '../../domain/racing/decide.ts'
import type { Phase } from '../../domain/racing/round.ts'
import type { Clock } from '../clock.port.ts'
import type { RaceCaller } from './race.caller.ts'
import type { Reply, RoundKeeper, VoidReply } from './round.keeper.ts'
import type { Seeds } from './seeds.ts'

// The life of a round. Time proposes, facts move: a timer asks the keeper for the next fact, and the machine goes on
// when that fact is on disk.
//   L1. Every state answers every command, in the order they came; what may be done in which phase is decided in the
//       domain. A command moves no state, so it passes by the search for a transition.
//   L2. Delays are computed from the facts' absolute times, so a restart arms them again.
//   L3. Nobody sleeps longer than a second: a clock that was set is noticed, a commit that failed is tried again.

const LONGEST_SLEEP_MS = 1_000

export type RoundInput = {
  readonly keeper: RoundKeeper
  readonly clock: Clock
  readonly seeds: Seeds
  readonly caller: RaceCaller
}
export type Ask = { readonly type: 'ask'; readonly command: Command; readonly reply: Reply }
export type AskVoid = { readonly type: 'void'; readonly command: VoidRound; readonly reply: VoidReply }
export type RoundEvent =
  | Ask
  | AskVoid
  | { readonly type: 'BettingLocked' | 'RaceStarted' | 'RoundSettled' | 'RoundVoided' }

const sleepUntil =
  (phase: Phase, deadline: 'locksAt' | 'startsAt' | 'endsAt') =>
  ({ context: { keeper, clock } }: { context: RoundInput }): number =>
    keeper.round.phase === phase && keeper.canWrite
      ? Math.min(LONGEST_SLEEP_MS, Math.max(0, keeper.round.opened[deadline] - clock.now()))
      : LONGEST_SLEEP_MS

const isIn =
  (phase: Phase) =>
  ({ context }: { context: RoundInput }): boolean =>
    context.keeper.round.phase === phase

export const roundMachine = setup({
  types: { context: {} as RoundInput, events: {} as RoundEvent, input: {} as RoundInput },
  actions: {
    lockBetting: ({ context }) => context.keeper.tick({ type: 'LockBetting' }),
    startRace: ({ context }) => context.keeper.tick({ type: 'StartRace' }),
    settleRound: ({ context: { keeper, seeds } }) =>
      keeper.tick({ type: 'SettleRound', seed: seeds.reveal(keeper.round.opened) }),
    callRace: ({ context }) => context.caller.callDue(),
  },
  delays: {
    untilLock: sleepUntil('waiting', 'locksAt'),
    untilStart: sleepUntil('betting-locked', 'startsAt'),
    untilEnd: sleepUntil('running', 'endsAt'),
    untilPiece: ({ context }) => Math.min(LONGEST_SLEEP_MS, context.caller.untilNext()),
  },
  guards: {
    isWaiting: isIn('waiting'),
    isLocked: isIn('betting-locked'),
    isRunning: isIn('running'),
  },
}).createMachine({
  id: 'round',
  context: ({ input }) => input,
  initial: 'recovering',
  states: {
    recovering: {
      always: [
        { guard: 'isWaiting', target: 'waiting' },
        { guard: 'isLocked', target: 'betting-locked' },
        { guard: 'isRunning', target: 'running' },
        { target: 'settled' },
      ],
    },
    waiting: {
      after: { untilLock: { target: 'waiting', reenter: true, actions: 'lockBetting' } },
      on: { BettingLocked: 'betting-locked', RoundVoided: 'settled' },
    },
    'betting-locked': {
      after: { untilStart: { target: 'betting-locked', reenter: true, actions: 'startRace' } },
      on: { RaceStarted: 'running', RoundVoided: 'settled' },
    },
    running: {
      after: {
        untilEnd: { target: 'running', reenter: true, actions: 'settleRound' },
        untilPiece: { target: 'running', reenter: true, actions: 'callRace' },
      },
      on: { RoundSettled: 'settled', RoundVoided: 'settled' },
    },
    settled: {},
  },
})

/** The round's actor: the machine, and commands answered from its context whatever its state. */
export const roundLogic: typeof roundMachine = Object.create(roundMachine, {
  transition: {
    value: ((snapshot, event, scope) => {
      const { keeper, seeds } = snapshot.context
      if (event.type === 'ask') keeper.ask(event.command, event.reply)
      else if (event.type === 'void') keeper.void(event.command, seeds, event.reply)
      else return roundMachine.transition(snapshot, event, scope)
      return snapshot
    }) satisfies (typeof roundMachine)['transition'],
  },
})
