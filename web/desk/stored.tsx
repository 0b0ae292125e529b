import { useState } from 'preact/hooks'
import type { Api } from '../api.d.ts'
import { dateTime, money, plainMoney } from '../format.ts'
import { shared } from '../refusals.ts'
import { useAnswer } from './answer.ts'
import { FailedJobs } from './failed-jobs.tsx'
import { Figure, Panel, Table } from './parts.tsx'
import { Retries } from './retries.tsx'
import { texts } from './texts.ts'
import { age, whole, wordFor } from './words.ts'

type Persistence = Api['GET /api/v1/ops/persistence']['data']

const EVERY_MS = 5_000

/** What the shop knows and the database does not yet, by round, and what failed on the way there. */
export const Stored = ({ happened }: { readonly happened: number }) => {
  const seen = useAnswer('GET /api/v1/ops/persistence', {}, { everyMs: EVERY_MS, happened })
  const [retried, retry] = useState(0)
  const { stored } = texts.value
  return (
    <>
      <Panel title={stored.title} seen={seen}>
        {seen.data && <Totals persistence={seen.data} />}
        <p class="hint">{stored.means}</p>
        {seen.data && <Rounds persistence={seen.data} />}
        {seen.data && <Queues persistence={seen.data} />}
      </Panel>
      {(['persist', 'cache'] as const).map((queue) => (
        <FailedJobs
          key={queue}
          queue={queue}
          happened={happened}
          onRetried={() => retry((count) => count + 1)}
        />
      ))}
      <Retries happened={retried} />
    </>
  )
}

const Totals = ({ persistence: { unstored, failedJobs } }: { readonly persistence: Persistence }) => {
  const { stored } = texts.value
  return (
    <dl class="figures">
      <Figure name={stored.receipts}>{whole(unstored.receipts)}</Figure>
      <Figure name={stored.amount}>{money(unstored.amount)}</Figure>
      <Figure name={stored.oldest}>
        {unstored.oldestAgeMs === null ? stored.none : age(unstored.oldestAgeMs)}
      </Figure>
      <Figure name={stored.failed}>{failedJobs === null ? stored.unknown : whole(failedJobs)}</Figure>
    </dl>
  )
}

const Rounds = ({ persistence }: { readonly persistence: Persistence }) => {
  const { stored, track, nothing } = texts.value
  const { rounds } = persistence.journal
  const columns = [
    { name: stored.round },
    { name: track },
    { name: stored.status },
    { name: stored.facts, isNumber: true },
    { name: stored.receipts, isNumber: true },
    { name: stored.amount, isNumber: true },
    { name: stored.oldest },
  ]
  return (
    <Table label={stored.byRound} columns={columns} empty={rounds.length === 0 && nothing}>
      {rounds.map((round) => (
        <tr key={round.roundId}>
          <th scope="row">{round.roundId}</th>
          <td>{round.track}</td>
          <td>{wordFor(shared.value.phase, round.status)}</td>
          <td class="right">{whole(round.notStored)}</td>
          <td class="right">{whole(round.unstored.receipts)}</td>
          <td class="right">{plainMoney(round.unstored.amount)}</td>
          <td>{round.unstored.oldestAt === null ? stored.none : dateTime(round.unstored.oldestAt)}</td>
        </tr>
      ))}
    </Table>
  )
}

const Queues = ({ persistence: { jobs } }: { readonly persistence: Persistence }) => {
  const { stored } = texts.value
  if (!jobs) return <p role="alert">{stored.noQueues}</p>
  const states = ['waiting', 'active', 'delayed', 'failed'] as const
  const columns = [
    { name: stored.queue },
    ...states.map((state) => ({ name: stored.states[state], isNumber: true })),
  ]
  return (
    <Table label={stored.queues} columns={columns}>
      {Object.keys(jobs).map((name) => (
        <tr key={name}>
          <th scope="row">{wordFor(stored.queueNames, name)}</th>
          {states.map((state) => (
            <td key={state} class="right">
              {whole(jobs[name]![state])}
            </td>
          ))}
        </tr>
      ))}
    </Table>
  )
}
