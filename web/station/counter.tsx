import { useState } from 'preact/hooks'
import { dateTime, fromPublic, money, receiptNumber } from '../format.ts'
import { shop } from '../shop.ts'
import {
  asked,
  type Checked,
  cancel,
  checked,
  chooseSlip,
  dueOf,
  isBusy,
  isPayable,
  look,
  pay,
  trouble,
  withSlip,
} from './check.ts'
import { isOpen, round, track } from './race.ts'
import type { Inputs } from './receipt.tsx'
import { print } from './sale.ts'
import { texts } from './texts.ts'

/** A field for the number of a receipt, and in one glance what it is worth. */
export const Counter = ({ inputs, onBack }: { readonly inputs: Inputs; readonly onBack: () => void }) => {
  const words = texts.value
  const onKey = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') return onBack()
    if (event.key !== 'Enter' || event.repeat) return
    event.preventDefault()
    // Enter looks; Enter once more pays what was seen.
    if (checked.value && isPayable(checked.value.ticket)) void pay()
    else void look(asked.value)
  }
  return (
    <section class="counter" aria-labelledby="counter-title">
      <h2 id="counter-title">{words.check}</h2>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          void look(asked.value)
        }}
      >
        <label>
          {words.receiptNumber}
          <input
            ref={inputs.check}
            class="number"
            value={asked.value}
            inputMode="numeric"
            autocomplete="off"
            maxLength={20}
            onKeyDown={onKey}
            onInput={(event) => {
              asked.value = event.currentTarget.value
              checked.value = undefined
              trouble.value = undefined
            }}
          />
        </label>
        <button type="submit">{words.look}</button>
      </form>
      <div aria-live="assertive">
        {trouble.value && <p class="told bad">{trouble.value}</p>}
        {checked.value && <Verdict checked={checked.value} onBack={onBack} />}
      </div>
    </section>
  )
}

const Verdict = ({ checked: one, onBack }: { readonly checked: Checked; readonly onBack: () => void }) => {
  const words = texts.value
  const { ticket, done } = one
  return (
    <div class={`verdict ${done ? 'done' : ticket.status}`} data-status={ticket.status}>
      <strong class="word">{headOf(one)}</strong>
      <p class="facts">
        <span class="number">{receiptNumber(ticket.id)}</span> · {words.race(ticket.roundId)} ·{' '}
        {shop.value!.tracks.length > 1 && `${ticket.track} · `}
        {words.soldAt(dateTime(ticket.created_at))}
      </p>
      <p class="what">{whatOf(one)}</p>
      <p class="facts">
        {ticket.bets.map(({ number, value }) => `${number} : ${money(fromPublic(value))}`).join(' · ')}
      </p>
      <Actions checked={one} onBack={onBack} />
    </div>
  )
}

const headOf = ({ ticket, done }: Checked): string => {
  const words = texts.value
  if (done === 'paid') return words.paidNow(money(dueOf(ticket)))
  if (done === 'cancelled') return words.cancelledNow(money(fromPublic(ticket.totalAmount)))
  return words.verdicts[ticket.status]
}

const whatOf = ({ ticket, done }: Checked): string => {
  const words = texts.value
  if (done) return ''
  const at = ticket.paidAt ?? ticket.refundedAt ?? ticket.cancelledAt
  if (at !== undefined) return words.closedBy(dateTime(at), ticket.closedByName ?? words.somebody)
  if (isPayable(ticket)) return `${words.handOut} : ${money(dueOf(ticket))}`
  return ticket.status === 'pending' ? words.wait : words.nothing
}

const Actions = ({
  checked: { ticket, done },
  onBack,
}: {
  readonly checked: Checked
  readonly onBack: () => void
}) => {
  const words = texts.value
  // Whether the race of another track is open is for the server to say.
  const mayBeOpen = ticket.roundId === round.value?.id ? isOpen.value : ticket.track !== track.value
  const isCancellable = ticket.status === 'pending' && mayBeOpen
  const due = money(dueOf(ticket))
  return (
    <div class="actions">
      {isPayable(ticket) && !done && (
        <button type="button" class="primary pay" disabled={isBusy.value} onClick={() => void pay()}>
          {ticket.status === 'won' ? words.pay(due) : words.refund(due)}
        </button>
      )}
      {isCancellable && !done && <CancelButton key={ticket.id} />}
      {ticket.status !== 'cancelled' && (
        <button type="button" onClick={() => void print(ticket.id)}>
          {words.reprint}
        </button>
      )}
      <button type="button" class="plain" onClick={onBack}>
        {words.back}
      </button>
      {isPayable(ticket) && !done && (
        <label class="slip-too">
          <input
            type="checkbox"
            checked={withSlip.value}
            onChange={(event) => chooseSlip(event.currentTarget.checked)}
          />
          {words.withSlip}
        </label>
      )}
    </div>
  )
}

/** Asks once more, in its own place: a customer's receipt is worth nothing afterwards. */
const CancelButton = () => {
  const [isSure, setSure] = useState(false)
  const words = texts.value
  return (
    <button
      type="button"
      class="danger cancel"
      disabled={isBusy.value}
      onClick={() => (isSure ? void cancel() : setSure(true))}
      onBlur={() => setSure(false)}
    >
      {isSure ? words.surely : words.cancel}
    </button>
  )
}
