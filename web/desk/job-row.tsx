import type { FailedJob } from '../api.d.ts'
import { dateTime, plainMoney } from '../format.ts'
import { texts } from './texts.ts'
import { whole } from './words.ts'

/** A failed job: what is in it, why it failed, and another try. */
export const JobRow = (props: {
  readonly job: FailedJob
  readonly isBusy: boolean
  readonly isChosen: boolean
  readonly choose: (isChosen: boolean) => void
  readonly retry: () => void
}) => {
  const { job } = props
  const { failed } = texts.value
  return (
    <tr>
      <td>
        <input
          type="checkbox"
          aria-label={failed.chooseJob(job.id)}
          checked={props.isChosen}
          onChange={({ currentTarget }) => props.choose(currentTarget.checked)}
        />
      </td>
      <th scope="row" class="number">
        {job.id}
      </th>
      <td>
        {job.roundId} {job.facts && <small>{failed.facts(job.facts.first, job.facts.last)}</small>}
      </td>
      <td class="right">{whole(job.receipts)}</td>
      <td class="right">{plainMoney(job.amount)}</td>
      <td>{job.failedAt !== null && dateTime(job.failedAt)}</td>
      <td class="right">{whole(job.attempts)}</td>
      <td class="reason" lang="en">
        {job.reason}
      </td>
      <td>
        <button
          type="button"
          disabled={props.isBusy}
          aria-label={failed.retryJob(job.id)}
          onClick={props.retry}
        >
          {failed.retry}
        </button>
      </td>
    </tr>
  )
}
