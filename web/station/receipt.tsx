import type { RefObject } from 'preact'
import { useEffect } from 'preact/hooks'
import { money, plainMoney, receiptNumber } from '../format.ts'
import { shop } from '../shop.ts'
import { asked } from './check.ts'
import {
  addTyped,
  amount,
  bets,
  clearDraft,
  complaint,
  mayGoOn,
  mostOn,
  participantOf,
  picked,
  possiblePrize,
  prizeOf,
  removeBet,
  takeBack,
  total,
  typed,
} from './draft.ts'
import { isOpen } from './race.ts'
import { isUnprinted, lastSold, pending, print, refusal, sell, unanswered } from './sale.ts'
import { texts } from './texts.ts'

export type Inputs = {
  readonly number: RefObject<HTMLInputElement | null>
  readonly amount: RefObject<HTMLInputElement | null>
  readonly check: RefObject<HTMLInputElement | null>
}

type Keys = {
  readonly inputs: Inputs
  /** Looks at the receipt that was sold last. */
  readonly onLast: () => void
}

const focus = (input: RefObject<HTMLInputElement | null>): void => {
  input.current?.focus()
  input.current?.select()
}

/** The receipt that is being made: two fields, the bets, the sums, and what became of the sale. */
export const Receipt = ({ inputs, onLast }: Keys) => {
  const words = texts.value
  // After a sale, and after a refusal, typing goes on where it began.
  useEffect(() => {
    if (!pending.value && document.activeElement === document.body) focus(inputs.number)
  })
  return (
    <section class="receipt" aria-labelledby="receipt-title">
      <h2 id="receipt-title">{words.receipt}</h2>
      <Entry inputs={inputs} onLast={onLast} />
      <Bets />
      <div class="sums">
        <span>{words.total}</span>
        <strong class="total">{money(total.value)}</strong>
        <span>{words.possible}</span>
        <strong class="possible">{money(possiblePrize.value)}</strong>
      </div>
      <SellButton />
      <Outcome />
    </section>
  )
}

const Entry = ({ inputs, onLast }: Keys) => {
  const words = texts.value
  const addAndGo = (): boolean => {
    const isAdded = addTyped()
    if (isAdded) focus(inputs.number)
    return isAdded
  }
  const onNumberKey = (event: KeyboardEvent): void => {
    const { key } = event
    const isEmpty = typed.value.number === ''
    if (key === 'Enter' || key === ' ' || key === '*') {
      event.preventDefault()
      if (picked.value) focus(inputs.amount)
      else if (isEmpty && key === 'Enter' && !event.repeat) sell()
    } else if (key === '+') {
      event.preventDefault()
      if (isEmpty && !event.repeat) sell()
    } else if (key === '/') {
      event.preventDefault()
      focus(inputs.check)
    } else if (key === '-') {
      event.preventDefault()
      onLast()
    } else if (key === 'Backspace' && isEmpty && !pending.value && takeBack()) {
      event.preventDefault()
      // What is selected is what is in the field, and the page has not been drawn yet.
      if (inputs.amount.current) inputs.amount.current.value = typed.value.amount
      focus(inputs.amount)
    } else if (key === 'Escape') typed.value = { number: '', amount: '' }
  }
  const onAmountKey = (event: KeyboardEvent): void => {
    const { key } = event
    if (key === 'Enter' || key === '+') {
      event.preventDefault()
      if (!event.repeat && addAndGo() && key === '+') sell()
    } else if (key === 'Escape' || (key === 'Backspace' && typed.value.amount === '')) {
      event.preventDefault()
      typed.value = { number: '', amount: '' }
      focus(inputs.number)
    } else if (key === '/') {
      event.preventDefault()
      focus(inputs.check)
    }
  }
  const onNumber = (text: string): void => {
    // No participant's number begins so, but a receipt's may: the rest of it is typed, or read, where it belongs.
    if (text.startsWith('0')) {
      typed.value = { number: '', amount: '' }
      asked.value = text
      if (inputs.check.current) inputs.check.current.value = text
      inputs.check.current?.focus()
      return
    }
    typed.value = { ...typed.value, number: text.replace(/\D/g, '') }
    if (picked.value && !mayGoOn(typed.value.number)) focus(inputs.amount)
  }
  const { limits } = shop.value!
  return (
    <form
      class="entry"
      onSubmit={(event) => {
        event.preventDefault()
        addAndGo()
      }}
    >
      <label class="of-number">
        {words.number}
        <input
          ref={inputs.number}
          value={typed.value.number}
          inputMode="numeric"
          autocomplete="off"
          maxLength={9}
          aria-invalid={complaint.value === 'number'}
          aria-describedby="entry-help"
          onKeyDown={onNumberKey}
          onInput={(event) => onNumber(event.currentTarget.value)}
        />
      </label>
      <label class="of-amount">
        {words.amount}
        <input
          ref={inputs.amount}
          value={typed.value.amount}
          inputMode="decimal"
          autocomplete="off"
          maxLength={15}
          aria-invalid={complaint.value !== undefined && complaint.value !== 'number'}
          aria-describedby="entry-help"
          onKeyDown={onAmountKey}
          onInput={(event) => {
            typed.value = { ...typed.value, amount: event.currentTarget.value }
          }}
        />
      </label>
      <button type="submit">{words.add}</button>
      <p class="picked">
        {picked.value?.name}
        {picked.value && amount.value !== undefined && !complaint.value && (
          <> · {words.prizeOfBet(money(prizeOf({ number: picked.value.number, amount: amount.value })))}</>
        )}
      </p>
      <p id="entry-help" class={complaint.value ? 'complaint' : 'help'}>
        {complaint.value
          ? complaintInWords()
          : words.limits(money(limits.minStake), money(limits.maxStake), limits.betsPerReceipt)}
      </p>
    </form>
  )
}

const complaintInWords = (): string => {
  const { complaints } = texts.value
  const { limits } = shop.value!
  switch (complaint.value) {
    case 'least':
      return complaints.least(money(limits.minStake))
    case 'most':
      return complaints.most(money(mostOn(picked.value!.number)))
    case 'count':
      return complaints.count(limits.betsPerReceipt)
    case 'amount':
      return complaints.amount
    default:
      return complaints.number
  }
}

const Bets = () => {
  const words = texts.value
  if (bets.value.length === 0) return <p class="no-bets">{words.noBets}</p>
  return (
    <div class="bets">
      <table>
        <thead>
          <tr>
            <th scope="col">{words.number}</th>
            <th scope="col">{words.stake}</th>
            <th scope="col">{words.prize}</th>
            <td />
          </tr>
        </thead>
        <tbody>
          {bets.value.map((bet) => (
            <tr key={bet.number}>
              <th scope="row">
                {bet.number} {participantOf(bet.number)?.name}
              </th>
              <td>{plainMoney(bet.amount)}</td>
              <td>{plainMoney(prizeOf(bet))}</td>
              <td>
                <button
                  type="button"
                  class="plain"
                  aria-label={words.remove(bet.number)}
                  disabled={pending.value !== undefined}
                  onClick={() => removeBet(bet.number)}
                >
                  ✕
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

const SellButton = () => {
  const words = texts.value
  const isReady = isOpen.value && !pending.value && bets.value.length > 0
  const label = pending.value ? words.waitingForAnswer : isOpen.value ? words.sell : words.closed
  return (
    <div class="selling">
      <button type="button" class="primary sell" disabled={!isReady} onClick={sell}>
        {label} {!pending.value && isOpen.value && total.value > 0 && money(total.value)}
      </button>
      <button
        type="button"
        disabled={pending.value !== undefined || bets.value.length === 0}
        onClick={clearDraft}
      >
        {words.clear}
      </button>
    </div>
  )
}

/** What became of the last sale, in words. */
const Outcome = () => {
  const words = texts.value
  return (
    <div class="outcome" aria-live="assertive">
      {pending.value && unanswered.value > 0 && <p class="told unsure">{words.noAnswer(unanswered.value)}</p>}
      {refusal.value && <p class="told bad">{refusal.value}</p>}
      {!pending.value && !refusal.value && lastSold.value && (
        <p class="told good">
          {words.sold(receiptNumber(lastSold.value.id), money(lastSold.value.total_amount))}
        </p>
      )}
      {isUnprinted.value && lastSold.value && (
        <p class="told bad">
          {words.unprinted}{' '}
          <button type="button" onClick={() => void print(lastSold.value!.id)}>
            {words.reprint}
          </button>
        </p>
      )}
    </div>
  )
}
