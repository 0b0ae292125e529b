import { dateTime, plainMoney, receiptNumber } from '../format.ts'
import { useAnswer } from './answer.ts'
import { Pages, Panel, Table } from './parts.tsx'
import { type Asked, linkTo, place } from './place.ts'
import { ReceiptHistory } from './receipt-history.tsx'
import { SearchForm, STATUSES } from './receipt-search.tsx'
import { texts } from './texts.ts'
import { whole } from './words.ts'

const EVERY_MS = 30_000
const LIMIT = 50

/** Finds receipts, and shows of each who did what. */
export const Receipts = () => {
  const { asked } = place.value
  const { open, before, ...sought } = asked
  const users = useAnswer('GET /api/v1/users/', {}, { everyMs: EVERY_MS })
  const query = queryOf(asked)
  const seen = useAnswer('GET /api/v1/audit/receipts', { query }, { everyMs: EVERY_MS })
  const { receiptSearch: receipts, nothing } = texts.value
  const found = seen.data?.receipts ?? []
  // Whoever asks for one receipt wants to see it.
  const opened = open ?? (sought.id !== undefined && found.length === 1 ? String(found[0]!.id) : undefined)
  const { id: _, ...others } = sought
  return (
    <>
      <Panel title={receipts.search}>
        <SearchForm asked={sought} users={users.data ?? []} />
      </Panel>
      {opened !== undefined && (
        <ReceiptHistory key={opened} id={opened} closeAt={linkTo('receipts', others)} />
      )}
      <Panel title={receipts.found} seen={seen}>
        {seen.data?.history === 'unavailable' && <p role="alert">{receipts.incomplete}</p>}
        <Table
          label={receipts.found}
          columns={[
            { name: receipts.id },
            { name: receipts.round },
            { name: receipts.soldAt },
            { name: receipts.soldBy },
            { name: receipts.status },
            { name: receipts.stakes, isNumber: true },
            { name: receipts.prize, isNumber: true },
            { name: receipts.prints, isNumber: true },
            { name: receipts.closed },
          ]}
          empty={seen.data && found.length === 0 && nothing}
        >
          {found.map((one) => (
            <tr key={one.id} class={opened === String(one.id) ? 'shown' : ''}>
              <th scope="row" class="number">
                <a href={linkTo('receipts', { ...asked, open: one.id })}>{receiptNumber(one.id)}</a>
              </th>
              <td>{one.roundId}</td>
              <td>{dateTime(one.soldAt)}</td>
              <td>{one.userName ?? one.userId}</td>
              <td>{receipts.statuses[one.status]}</td>
              <td class="right">{plainMoney(one.stakes)}</td>
              <td class="right">{one.status !== 'cancelled' && plainMoney(one.prize)}</td>
              <td class="right">{whole(one.prints)}</td>
              <td>
                {one.closedAt !== null &&
                  receipts.closedBy(one.closedByName ?? String(one.closedBy), dateTime(one.closedAt))}
              </td>
            </tr>
          ))}
        </Table>
        <Pages
          latest={before === undefined ? undefined : linkTo('receipts', sought)}
          earlier={seen.data?.next ? linkTo('receipts', { ...sought, before: seen.data.next }) : undefined}
        />
      </Panel>
    </>
  )
}

const queryOf = ({ id, userId, status, roundId, from, to, before }: Asked) => ({
  limit: LIMIT,
  ...(id !== undefined && { id }),
  ...(userId !== undefined && { userId: Number(userId) }),
  ...statusIn(status),
  ...(roundId !== undefined && { roundId: Number(roundId) }),
  ...(from !== undefined && { from }),
  ...(to !== undefined && { to }),
  ...(before !== undefined && { before }),
})

const statusIn = (text: string | undefined) => {
  const status = STATUSES.find((one) => one === text)
  return status && { status }
}
