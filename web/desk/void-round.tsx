import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { LiveFigures, VoidedRound } from '../api.d.ts'
import { ask } from '../client.ts'
import { money } from '../format.ts'
import { Panel } from './parts.tsx'
import { texts } from './texts.ts'
import { complaintOf, receiptsOf } from './words.ts'

type Props = { readonly figures: LiveFigures; readonly onDone: (answer: VoidedRound) => void }

/** Voids the round under way. It says first what that gives back; asking twice does it once. */
export const VoidRound = ({ figures, onDone }: Props) => {
  const { round, receipts, stakes } = figures
  const { voiding } = texts.value
  const [isAsking, setAsking] = useState(false)
  const [isBusy, setBusy] = useState(false)
  const [complaint, complain] = useState('')
  const first = useRef<HTMLInputElement>(null)
  useLayoutEffect(() => {
    if (isAsking) first.current?.focus()
  }, [isAsking])
  const leave = (): void => {
    setAsking(false)
    complain('')
  }
  const send = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault()
    const reason = String(new FormData(event.currentTarget as HTMLFormElement).get('reason')).trim()
    setBusy(true)
    const answer = await ask('POST /api/v1/rounds/{id}/void', { path: { id: round.id }, body: { reason } })
    setBusy(false)
    if (answer.ok) return onDone(answer.data)
    complain(answer.code === 'NO_ANSWER' ? voiding.unknown : complaintOf(answer))
  }
  return (
    <Panel title={voiding.title(round.id)}>
      {isAsking ? (
        <form
          class="confirm"
          onSubmit={(event) => void send(event)}
          onKeyDown={(event) => event.key === 'Escape' && leave()}
        >
          <p>
            <strong>{voiding.givesBack(receiptsOf(receipts), money(stakes))}</strong> {voiding.noWayBack}
          </p>
          <label>
            {voiding.reason}
            <input ref={first} name="reason" required maxLength={200} pattern=".*\S.*" autocomplete="off" />
          </label>
          <p role="alert">{complaint}</p>
          <p class="buttons">
            <button type="submit" class="danger" disabled={isBusy}>
              {voiding.confirm(round.id, money(stakes))}
            </button>
            <button type="button" onClick={leave}>
              {voiding.leave}
            </button>
          </p>
        </form>
      ) : (
        <>
          <p class="hint">{voiding.means}</p>
          <button type="button" class="danger" onClick={() => setAsking(true)}>
            {voiding.begin}
          </button>
        </>
      )}
    </Panel>
  )
}
