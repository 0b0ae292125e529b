import { dateTime, plainMoney } from '../format.ts'
import { useAnswer } from './answer.ts'
import { Panel, Table } from './parts.tsx'
import { texts } from './texts.ts'
import { whole, wordFor } from './words.ts'

const EVERY_MS = 15_000

/** Who sent what again, and what came of it. */
export const Retries = ({ happened }: { readonly happened: number }) => {
  const seen = useAnswer('GET /api/v1/ops/jobs/retries', {}, { everyMs: EVERY_MS, happened })
  const { failed, stored, nothing } = texts.value
  const retries = seen.data?.retries ?? []
  const columns = [
    { name: failed.when },
    { name: failed.who },
    { name: failed.job },
    { name: failed.round },
    { name: failed.receipts, isNumber: true },
    { name: failed.amount, isNumber: true },
    { name: failed.result },
  ]
  return (
    <Panel title={failed.retries} seen={seen}>
      <Table label={failed.retries} columns={columns} empty={seen.data && retries.length === 0 && nothing}>
        {retries.map((one) => (
          <tr key={one.id}>
            <td>{dateTime(one.at)}</td>
            <td>{one.byName ?? one.by}</td>
            <th scope="row">
              {wordFor(stored.queueNames, one.queue)} <small class="number">{one.jobId}</small>
            </th>
            <td>{one.roundId}</td>
            <td class="right">{whole(one.receipts)}</td>
            <td class="right">{plainMoney(one.amount)}</td>
            <td>{wordFor(failed.results, one.result)}</td>
          </tr>
        ))}
      </Table>
    </Panel>
  )
}
