import type { RoundFigures as Line } from '../api.d.ts'
import { dateTime, plainMoney } from '../format.ts'
import { shared } from '../refusals.ts'
import { shop } from '../shop.ts'
import { useAnswer } from './answer.ts'
import { Columns } from './columns.tsx'
import { Pages, Panel, Table } from './parts.tsx'
import type { Period } from './period.tsx'
import { type Asked, linkTo } from './place.ts'
import { texts } from './texts.ts'
import { whole } from './words.ts'

const EVERY_MS = 15_000
const LIMIT = 50

/** The rounds of a period, latest first, as columns and as a table. */
export const RoundFigures = ({ period, asked }: { readonly period: Period; readonly asked: Asked }) => {
  const { figures, nothing, track } = texts.value
  const query = { ...period, limit: LIMIT, ...(asked.before !== undefined && { before: asked.before }) }
  const seen = useAnswer('GET /api/v1/figures/rounds', { query }, { everyMs: EVERY_MS })
  const rounds = seen.data?.rounds ?? []
  const next = seen.data?.next
  const hasTracks = (shop.value?.tracks.length ?? 0) > 1
  const columns = [
    { name: figures.round },
    ...(hasTracks ? [{ name: track }] : []),
    { name: figures.opened },
    { name: figures.outcome },
    { name: figures.sum.receipts, isNumber: true },
    { name: figures.sum.turnover, isNumber: true },
    { name: figures.sum.prizes, isNumber: true },
    { name: figures.sum.margin, isNumber: true },
  ]
  return (
    <Panel title={figures.rounds} seen={seen}>
      {rounds.length > 1 && <Chart rounds={rounds} />}
      <Table label={figures.rounds} columns={columns} empty={seen.data && rounds.length === 0 && nothing}>
        {rounds.map((round) => (
          <tr key={round.roundId}>
            <th scope="row">
              <a href={linkTo('receipts', { roundId: round.roundId })}>{round.roundId}</a>
            </th>
            {hasTracks && <td>{round.track}</td>}
            <td>{dateTime(round.openedAt)}</td>
            <td>{outcomeOf(round)}</td>
            <td class="right">{whole(round.receipts)}</td>
            <td class="right">{plainMoney(round.stakes)}</td>
            <td class="right">{plainMoney(round.prizes)}</td>
            <td class="right">{round.margin !== null && plainMoney(round.margin)}</td>
          </tr>
        ))}
      </Table>
      <Pages
        latest={asked.before === undefined ? undefined : linkTo('figures', period)}
        earlier={next ? linkTo('figures', { ...period, before: next }) : undefined}
      />
    </Panel>
  )
}

const outcomeOf = ({ voided, winner, status }: Line): string => {
  const { figures } = texts.value
  if (voided) return figures.voided
  return winner === null ? shared.value.phase[status] : figures.wonBy(winner)
}

const Chart = ({ rounds }: { readonly rounds: readonly Line[] }) => {
  const { chartOfRounds, sum, roundOf } = texts.value.figures
  return (
    <Columns
      label={chartOfRounds}
      series={[
        { name: sum.turnover, kind: 'turnover' },
        { name: sum.prizes, kind: 'prizes' },
      ]}
      groups={rounds
        .slice()
        .reverse()
        .map(({ roundId, stakes, prizes }) => ({ name: roundOf(roundId), values: [stakes, prizes] }))}
    />
  )
}
