import { signal } from '@preact/signals'
import type { Api } from '../api.d.ts'
import { ask } from '../client.ts'
import { fromPublic } from '../format.ts'
import { inWords } from '../refusals.ts'
import { newKey } from './key.ts'
import { printSlip } from './printing.ts'
import { receiptsChanged } from './race.ts'
import { stored } from './storage.ts'
import { texts } from './texts.ts'

// A receipt that somebody brought to the counter: what it is worth, and what is done with it.

type Ticket = Api['GET /api/v1/my-bets/{id}']['data']

export type Checked = {
  readonly ticket: Ticket
  /** Done just now, at this counter. */
  readonly done?: 'paid' | 'cancelled'
  /** One for each thing that may be done with it: pressed again after no answer, it is done once. */
  readonly keys: { readonly pay: string; readonly cancel: string }
}

const WITH_SLIP = 'galop.station.slip'

export const asked = signal('')
export const checked = signal<Checked | undefined>(undefined)
export const trouble = signal<string | undefined>(undefined)
export const isBusy = signal(false)
export const withSlip = signal(stored.read(WITH_SLIP) !== 'no')

export const chooseSlip = (wanted: boolean): void => {
  withSlip.value = wanted
  stored.write(WITH_SLIP, wanted ? undefined : 'no')
}

/** What its holder is handed: the prize, or the stake of a race that was voided. In the smallest unit. */
export const dueOf = ({ status, prize, totalAmount }: Ticket): number =>
  fromPublic(status === 'refundable' || status === 'refunded' ? totalAmount : prize)

export const isPayable = (ticket: Ticket): boolean =>
  ticket.status === 'won' || ticket.status === 'refundable'

export const forget = (): void => {
  asked.value = ''
  checked.value = undefined
  trouble.value = undefined
}

/** Asks what has become of a receipt. `text` is its number, as scanned or typed. */
export const look = async (text: string): Promise<void> => {
  if (text.includes('://')) {
    // The code of its race, which says nothing of the receipt; its digits are no number.
    forget()
    trouble.value = texts.value.otherCode
    return
  }
  const id = text.replace(/\D/g, '')
  asked.value = text
  checked.value = undefined
  trouble.value = undefined
  if (id === '') return
  const answer = await busy(() => ask('GET /api/v1/my-bets/{id}', { path: { id } }))
  if (asked.value !== text) return
  if (answer.ok) checked.value = { ticket: answer.data, keys: { pay: newKey(), cancel: newKey() } }
  else trouble.value = inWords(answer)
}

/** Pays the checked receipt, once, whoever else tries to at the same time. */
export const pay = async (): Promise<void> => {
  const one = checked.value
  if (!one || !isPayable(one.ticket) || one.done || isBusy.value) return
  const id = String(one.ticket.id)
  trouble.value = undefined
  const answer = await busy(async () => {
    if (withSlip.value) await printSlip('payout', one.ticket.id)
    return ask('POST /api/v1/my-bets/pay/{id}', { path: { id }, key: one.keys.pay })
  })
  if (answer.ok) {
    const { status } = answer.data
    checked.value = { ...one, done: 'paid', ticket: { ...one.ticket, status } }
  } else if (answer.code === 'NO_ANSWER') trouble.value = inWords(answer)
  else {
    await look(id)
    trouble.value = inWords(answer)
  }
  receiptsChanged.value += 1
}

export const cancel = async (): Promise<void> => {
  const one = checked.value
  if (!one || one.done || isBusy.value) return
  trouble.value = undefined
  const answer = await busy(() =>
    ask('POST /api/v1/receipts/', {
      query: { action: 'delete', id: String(one.ticket.id) },
      key: one.keys.cancel,
    }),
  )
  if (answer.ok) checked.value = { ...one, done: 'cancelled', ticket: { ...one.ticket, status: 'cancelled' } }
  else trouble.value = inWords(answer)
  receiptsChanged.value += 1
}

const busy = async <T>(work: () => Promise<T>): Promise<T> => {
  isBusy.value = true
  try {
    return await work()
  } finally {
    isBusy.value = false
  }
}
