import { useAnswer } from './answer.ts'
import { Cashiers, DaysChart, DaysTable, Totals } from './day-figures.tsx'
import { Panel } from './parts.tsx'
import { type Period, PeriodForm, periodOf } from './period.tsx'
import { place } from './place.ts'
import { RoundFigures } from './round-figures.tsx'
import { texts } from './texts.ts'

const EVERY_MS = 15_000

/** Days, cashiers and rounds of a period: what was sold, given back, won, and what is left. */
export const Figures = () => {
  const { asked } = place.value
  const period = periodOf(asked)
  const seen = useAnswer('GET /api/v1/figures/days', { query: period }, { everyMs: EVERY_MS })
  const { figures } = texts.value
  const days = seen.data
  return (
    <>
      <Panel title={figures.title} seen={seen} side={<Exports period={period} />}>
        <PeriodForm period={period} />
        {days?.history === 'unavailable' && <p role="alert">{figures.incomplete}</p>}
        {days && <Totals sums={days.totals} />}
        {days && <DaysChart days={days} />}
      </Panel>
      {days && <DaysTable days={days} period={period} />}
      {days && <Cashiers days={days} period={period} chosen={asked.day} />}
      <RoundFigures period={period} asked={asked} />
    </>
  )
}

const Exports = ({ period }: { readonly period: Period }) => {
  const { csv } = texts.value.figures
  return (
    <span class="exports">
      {(['days', 'rounds', 'receipts'] as const).map((what) => (
        <a key={what} href={`/api/v1/figures/${what}.csv?from=${period.from}&to=${period.to}`} download>
          {csv[what]}
        </a>
      ))}
    </span>
  )
}
