import { useEffect, useRef } from 'preact/hooks'
import type { Api, ReceiptEvent } from '../api.d.ts'
import { dateTime, money, odds, plainMoney, receiptNumber } from '../format.ts'
import { useAnswer } from './answer.ts'
import { Figure, Panel, Table } from './parts.tsx'
import { texts } from './texts.ts'

type Receipt = Api['GET /api/v1/audit/receipts/{id}']['data']['receipt']

const EVERY_MS = 10_000
/** Odds are told in hundredths here: 250 is 2.50. */
const ODDS_UNIT = 100

/** One receipt, and everything that was ever done with it: what, by whom, when. */
export const ReceiptHistory = ({ id, closeAt }: { readonly id: string; readonly closeAt: string }) => {
  const seen = useAnswer('GET /api/v1/audit/receipts/{id}', { path: { id } }, { everyMs: EVERY_MS })
  const { receiptSearch: receipts } = texts.value
  const place = useRef<HTMLDivElement>(null)
  useEffect(() => place.current?.focus(), [])
  return (
    <div ref={place} tabIndex={-1} class="opened">
      <Panel
        title={receipts.titleOf(receiptNumber(Number(id)))}
        seen={seen}
        side={<a href={closeAt}>{receipts.close}</a>}
      >
        {seen.data && (
          <>
            <Facts receipt={seen.data.receipt} />
            <Bets receipt={seen.data.receipt} />
            <Table
              label={receipts.history}
              columns={[{ name: receipts.when }, { name: receipts.what }, { name: receipts.who }]}
            >
              {seen.data.history.map((event) => (
                <tr key={event.number}>
                  <td>{dateTime(event.at)}</td>
                  <td>{whatHappened(event)}</td>
                  <td>{event.by === null ? receipts.byItself : (event.byName ?? event.by)}</td>
                </tr>
              ))}
            </Table>
            <p class="hint">{receipts.ownedBy[seen.data.owner]}</p>
          </>
        )}
      </Panel>
    </div>
  )
}

const Facts = ({ receipt }: { readonly receipt: Receipt }) => {
  const { receiptSearch: receipts } = texts.value
  return (
    <dl class="figures">
      <Figure name={receipts.status}>{receipts.statuses[receipt.status]}</Figure>
      <Figure name={receipts.stakes}>{money(receipt.stakes)}</Figure>
      <Figure name={receipts.prize}>{money(receipt.prize)}</Figure>
      <Figure name={receipts.round}>{receipt.roundId}</Figure>
      <Figure name={receipts.soldBy}>{receipt.userName ?? receipt.userId}</Figure>
    </dl>
  )
}

const Bets = ({ receipt }: { readonly receipt: Receipt }) => {
  const { receiptSearch: receipts, live } = texts.value
  const columns = [
    { name: live.number },
    { name: live.name },
    { name: live.odds, isNumber: true },
    { name: receipts.stakes, isNumber: true },
    { name: receipts.prize, isNumber: true },
  ]
  return (
    <Table label={receipts.bets} columns={columns}>
      {receipt.bets.map((bet) => (
        <tr key={bet.number}>
          <td class="number">{bet.number}</td>
          <th scope="row">{bet.name}</th>
          <td class="right">{odds(bet.coeff / ODDS_UNIT)}</td>
          <td class="right">{plainMoney(bet.stake)}</td>
          <td class="right">{plainMoney(bet.prize)}</td>
        </tr>
      ))}
    </Table>
  )
}

const whatHappened = (event: ReceiptEvent): string => {
  const { events } = texts.value.receiptSearch
  switch (event.type) {
    case 'sold':
    case 'cancelled':
      return events[event.type]
    case 'printed':
      return events.printed(event.copy ?? 1)
    case 'paid':
    case 'refunded':
      return events[event.type](money(event.amount ?? 0))
    case 'round_settled':
      return events.settled(event.winner ?? 0)
    case 'round_voided':
      return events.voided(event.reason ?? '')
  }
}
