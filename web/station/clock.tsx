import { computed } from '@preact/signals'
import { isPaused, phase, round, secondsLeft } from './race.ts'
import { texts } from './texts.ts'

const HURRY_S = 10

const minutes = (seconds: number): string =>
  `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`

const winner = computed(() => {
  const one = round.value
  const number = one?.result?.winner
  return one?.participants.find((participant) => participant.number === number)
})

/** What the race is doing, and how long still: the whole width, by words and pattern as well as by colour. */
export const RaceClock = () => {
  const words = texts.value
  const isSoon = phase.value === 'waiting' && secondsLeft.value <= HURRY_S
  return (
    <section
      class={`clock is-${phase.value} ${isSoon ? 'is-soon' : ''}`}
      aria-label={words.phase[phase.value]}
    >
      {round.value && <span class="race">{words.race(round.value.id)}</span>}
      <strong class="phase" role="status">
        {words.phase[phase.value]}
      </strong>
      {winner.value && <span class="winner">{words.winner(winner.value.number, winner.value.name)}</span>}
      {isPaused.value && <span class="paused">{words.paused}</span>}
      <span class="grow" />
      {isSoon && <strong class="hurry">{words.soon}</strong>}
      <span class="until">{words.until[phase.value]}</span>
      <span class="seconds" role="timer">
        {phase.value === 'none' ? '' : minutes(secondsLeft.value)}
      </span>
    </section>
  )
}
