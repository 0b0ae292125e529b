import type { Round } from '../api.d.ts'
import { odds } from '../format.ts'
import { publicOrigin } from '../shop.ts'
import { Code } from './code.view.tsx'
import { clothOf } from './colours.ts'
import { isPaused } from './screen.state.ts'
import { texts } from './texts.ts'

/** A number on its saddle cloth. */
export const Cloth = ({ number, index }: { readonly number: number; readonly index: number }) => {
  const [ground, ink] = clothOf(index)
  return (
    <span class="cloth" style={{ background: ground, color: ink }}>
      {number}
    </span>
  )
}

const ROWS_IN_A_COLUMN = 10
const CHARACTERS_OF_A_GROUP = 16

/** Who runs in the next race, at which odds, until when; and what its outcome was committed to. */
export const Field = ({
  round,
  left,
}: {
  readonly round: Round
  readonly left: (until: number) => string
}) => {
  const { participants, status, commitment } = round
  const columns = Math.ceil(participants.length / ROWS_IN_A_COLUMN)
  const rows = Math.ceil(participants.length / columns)
  const isLocked = status === 'betting-locked'
  const groups = commitment.match(new RegExp(`.{1,${CHARACTERS_OF_A_GROUP}}`, 'g')) ?? []
  return (
    <div class="next">
      <ol
        class={`field columns-${columns}`}
        style={{ gridTemplateRows: `repeat(${rows}, 1fr)`, fontSize: `${Math.min(6, 50 / rows)}vh` }}
      >
        {participants.map(({ number, name, coeff }, index) => (
          <li key={number}>
            <Cloth number={number} index={index} />
            <span class="name">{name}</span>
            <span class="odds">{odds(coeff)}</span>
          </li>
        ))}
      </ol>
      <aside class={isLocked ? 'until locked' : 'until'}>
        <p>{isLocked ? texts.value.startsIn : texts.value.closesIn}</p>
        <p class="countdown" role="timer">
          {left(isLocked ? round.startsAt : round.locksAt)}
        </p>
        {isPaused.value && <p class="paused">{texts.value.lastBeforePause}</p>}
        <div class="commitment">
          <Code text={`${publicOrigin()}/verify?round=${round.roundId}&commitment=${commitment}`} />
          <p>
            {texts.value.commitment}
            <code>
              {groups.map((group) => (
                <span key={group}>{group}</span>
              ))}
            </code>
          </p>
        </div>
      </aside>
    </div>
  )
}
