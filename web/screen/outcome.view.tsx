import type { Round } from '../api.d.ts'
import { odds, time } from '../format.ts'
import { publicOrigin } from '../shop.ts'
import { Code } from './code.view.tsx'
import { Cloth } from './field.view.tsx'
import { round as current, isPaused, results } from './screen.state.ts'
import { texts } from './texts.ts'

const PLACES_SHOWN = 3

/** How a race ended, and where it can be checked. */
export const Outcome = ({ round, left }: { readonly round: Round; readonly left: string }) => {
  const { participants, result, roundId } = round
  const next = isPaused.value ? texts.value.paused : texts.value.nextIn(left)
  if (!result)
    return (
      <div class="outcome">
        <p class="winner">{texts.value.voided}</p>
        <p class="next-in">{next}</p>
      </div>
    )
  const indexOf = (number: number): number => participants.findIndex((one) => one.number === number)
  const winner = participants[indexOf(result.winner)]!
  return (
    <div class="outcome">
      <div class="winner">
        <p>{texts.value.winner}</p>
        <p class="first">
          <Cloth number={winner.number} index={indexOf(winner.number)} />
          {winner.name}
        </p>
        <p class="paid">{texts.value.paid(odds(winner.coeff))}</p>
      </div>
      <ol class="places" start={2}>
        {result.order.slice(1, PLACES_SHOWN).map((number, place) => (
          <li key={number}>
            {place + 2}. <Cloth number={number} index={indexOf(number)} />
            {participants[indexOf(number)]!.name}
          </li>
        ))}
      </ol>
      <div class="proof">
        <Code text={`${publicOrigin()}/verify?round=${roundId}`} />
        <p>{texts.value.proof(`${new URL(publicOrigin()).host}/verify`, roundId)}</p>
      </div>
      <p class="next-in">{next}</p>
    </div>
  )
}

/** Races before this one, latest first; of the current one only once its film is over. */
export const LastResults = () => {
  const shown = results.value.filter(({ roundId }) => roundId !== current.value?.roundId)
  if (shown.length === 0) return <footer class="last" />
  const indexOf = (number: number): number =>
    Math.max(0, current.value?.participants.findIndex((one) => one.number === number) ?? 0)
  return (
    <footer class="last">
      <h2>{texts.value.lastResults}</h2>
      <ol>
        {shown.map(({ roundId, winner, settledAt }) => (
          <li key={roundId} title={time(settledAt)}>
            <span class="which">{roundId}</span>
            <Cloth number={winner} index={indexOf(winner)} />
          </li>
        ))}
      </ol>
    </footer>
  )
}
