import { useState } from 'preact/hooks'
import type { FailedJob } from '../api.d.ts'
import { ask } from '../client.ts'
import { money } from '../format.ts'
import { useAnswer } from './answer.ts'
import { JobRow } from './job-row.tsx'
import { Outcome, Panel, type Said, Table } from './parts.tsx'
import { texts } from './texts.ts'
import { complaintOf, receiptsOf, whole } from './words.ts'

type Props = {
  readonly queue: FailedJob['queue']
  readonly happened: number
  readonly onRetried: () => void
}

const EVERY_MS = 5_000
/** The server takes no more ids at once. */
const MOST_IDS = 500

/** Jobs of a queue that failed for good, with the money in them. They are tried again one by one, some, or all. */
export const FailedJobs = ({ queue, happened, onRetried }: Props) => {
  const query = { queue }
  const seen = useAnswer('GET /api/v1/ops/jobs/failed', { query }, { everyMs: EVERY_MS, happened })
  const [chosen, choose] = useState<readonly string[]>([])
  const [isBusy, setBusy] = useState(false)
  const [said, say] = useState<Said>({})
  const { failed, jobBoard } = texts.value
  const jobs = seen.data?.jobs ?? []
  const totals = seen.data?.totals
  const selected = jobs.map(({ id }) => id).filter((id) => chosen.indexOf(id) >= 0)

  const retry = async (some: readonly string[] | 'all'): Promise<void> => {
    setBusy(true)
    const body = some === 'all' ? ({ queue, all: true } as const) : { queue, ids: some.slice(0, MOST_IDS) }
    const answer = await ask('POST /api/v1/ops/jobs/retry', { body })
    say(answer.ok ? { done: failed.retried(answer.data.retried) } : { complaint: complaintOf(answer) })
    setBusy(false)
    choose([])
    seen.again()
    onRetried()
  }
  const columns = [
    { name: failed.choose },
    { name: failed.job },
    { name: failed.round },
    { name: failed.receipts, isNumber: true },
    { name: failed.amount, isNumber: true },
    { name: failed.failedAt },
    { name: failed.attempts, isNumber: true },
    { name: failed.reason },
    { name: failed.again },
  ]
  return (
    <Panel title={failed.titleOf[queue]} seen={seen} side={<a href="/admin/jobs">{jobBoard}</a>}>
      {totals && totals.jobs > 0 && (
        <p>{failed.totals(whole(totals.jobs), receiptsOf(totals.receipts), money(totals.amount))}</p>
      )}
      {seen.data?.truncated && <p>{failed.truncated(jobs.length)}</p>}
      <Outcome {...said} />
      {jobs.length > 0 && (
        <p class="buttons">
          <button
            type="button"
            disabled={isBusy || selected.length === 0}
            onClick={() => void retry(selected)}
          >
            {failed.retrySelected(selected.length)}
          </button>
          <button type="button" class="primary" disabled={isBusy} onClick={() => void retry('all')}>
            {failed.retryAll}
          </button>
        </p>
      )}
      {seen.data && jobs.length === 0 && <p class="empty">{failed.none}</p>}
      {jobs.length > 0 && (
        <Table label={failed.titleOf[queue]} columns={columns}>
          {jobs.map((job) => (
            <JobRow
              key={job.id}
              job={job}
              isBusy={isBusy}
              isChosen={chosen.indexOf(job.id) >= 0}
              choose={(isChosen) => {
                const rest = chosen.filter((id) => id !== job.id)
                choose(isChosen ? [...rest, job.id] : rest)
              }}
              retry={() => void retry([job.id])}
            />
          ))}
        </Table>
      )}
    </Panel>
  )
}
