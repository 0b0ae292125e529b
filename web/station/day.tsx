import { effect, signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { MyDay, PublicTicket } from '../api.d.ts'
import { ask } from '../client.ts'
import { dayName, fromPublic, money, plainMoney, receiptNumber, time } from '../format.ts'
import { shared } from '../refusals.ts'
import { person } from '../session.tsx'
import { isPayable } from './check.ts'
import { receiptsChanged } from './race.ts'
import { lastSold } from './sale.ts'
import { texts } from './texts.ts'

// What this person sold last, and how its day adds up. Asked again whenever one of its receipts changed.

const LAST = 10
/** Changes come in flocks, as when a race ends. */
const REST_MS = 250
/** Of what nobody tells this page: midnight, other tracks. */
const ANYWAY_MS = 30_000

const receipts = signal<readonly PublicTicket[]>([])
const day = signal<MyDay | undefined>(undefined)
/** The receipt that was sold last: here, or by this person on another page. */
export const lastReceipt = (): number | undefined => lastSold.value?.id ?? receipts.value[0]?.id

const refresh = async (): Promise<void> => {
  const user = person.peek()
  if (!user) return
  const [list, sums] = await Promise.all([
    ask('GET /api/v1/my-bets/', { query: { limit: LAST, user_id: user.id } }),
    ask('GET /api/v1/my-day/'),
  ])
  if (list.ok) receipts.value = list.data.tickets
  if (sums.ok) day.value = sums.data
}

const followReceipts = (): (() => void) => {
  let soon: ReturnType<typeof setTimeout> | undefined
  const stop = effect(() => {
    receiptsChanged.value
    clearTimeout(soon)
    soon = setTimeout(() => void refresh(), REST_MS)
  })
  const anyway = setInterval(() => void refresh(), ANYWAY_MS)
  return () => {
    stop()
    clearTimeout(soon)
    clearInterval(anyway)
    receipts.value = []
    day.value = undefined
  }
}

export const LastReceipts = (props: { readonly onLook: (id: number) => void }) => {
  useEffect(followReceipts, [])
  const words = texts.value
  return (
    <section class="last" aria-labelledby="last-title">
      <h2 id="last-title">{words.lastReceipts}</h2>
      {receipts.value.length === 0 ? (
        <p>{words.noReceipts}</p>
      ) : (
        <table>
          <thead class="hidden">
            <tr>
              <th scope="col">{words.receiptNumber}</th>
              <th scope="col">{words.time}</th>
              <th scope="col">{words.total}</th>
              <th scope="col">{words.status}</th>
              <th scope="col">{words.actions}</th>
            </tr>
          </thead>
          <tbody>
            {receipts.value.map((one) => (
              <tr key={one.id} data-status={one.status}>
                <th scope="row" class="number">
                  {receiptNumber(one.id)}
                </th>
                <td>{time(one.created_at)}</td>
                <td class="amount">{plainMoney(fromPublic(one.totalAmount))}</td>
                <td>
                  <span class={`status ${one.status}`}>{shared.value.status[one.status]}</span>
                </td>
                <td>
                  <button type="button" onClick={() => props.onLook(one.id)}>
                    {isPayable(one) ? words.payShort : words.checkShort}
                    <span class="hidden"> {receiptNumber(one.id)}</span>
                  </button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  )
}

export const Day = () => {
  const words = texts.value
  const one = day.value
  if (!one) return null
  const rows = [
    ['sold', words.daySold, one.sold],
    ['cancelled', words.dayCancelled, one.cancelled],
    ['paid', words.dayPaid, one.paid],
    ['refunded', words.dayRefunded, one.refunded],
  ] as const
  return (
    <section class="day" aria-labelledby="day-title">
      <h2 id="day-title">{words.myDay(dayName(one.date))}</h2>
      {one.history === 'unavailable' && <p class="told bad">{words.partial}</p>}
      <table>
        <tbody>
          {rows
            .filter(([what, , sum]) => what !== 'refunded' || sum.receipts > 0)
            .map(([what, word, sum]) => (
              <tr key={what} class={what}>
                <th scope="row">{word}</th>
                <td>{sum.receipts}</td>
                <td class="amount">{money(sum.amount)}</td>
              </tr>
            ))}
          <tr class="balance">
            <th scope="row" colSpan={2}>
              {words.balance}
            </th>
            <td class="amount">{money(one.balance)}</td>
          </tr>
        </tbody>
      </table>
    </section>
  )
}
