import type { DayFigures, Sums } from '../api.d.ts'
import { dayName, money, plainMoney } from '../format.ts'
import { Columns } from './columns.tsx'
import { type Column, Figure, Panel, Table } from './parts.tsx'
import type { Period } from './period.tsx'
import { linkTo } from './place.ts'
import { texts } from './texts.ts'
import { whole } from './words.ts'

export const Totals = ({ sums }: { readonly sums: Sums }) => {
  const { sum } = texts.value.figures
  const amounts = ['turnover', 'prizes', 'refunds', 'pending', 'margin', 'cancelled', 'paidOut'] as const
  return (
    <dl class="figures">
      {amounts.map((name) => (
        <Figure key={name} name={sum[name]}>
          {money(sums[name])}
        </Figure>
      ))}
    </dl>
  )
}

export const DaysChart = ({ days: { days } }: { readonly days: DayFigures }) => {
  const { chartOfDays, sum } = texts.value.figures
  return (
    <Columns
      label={chartOfDays}
      series={[
        { name: sum.turnover, kind: 'turnover' },
        { name: sum.prizes, kind: 'prizes' },
        { name: sum.margin, kind: 'margin' },
      ]}
      groups={days.map(({ date, turnover, prizes, margin }) => ({
        name: dayName(date),
        values: [turnover, prizes, margin],
      }))}
    />
  )
}

const columnsAfter = (first: string): Column[] => {
  const { sum } = texts.value.figures
  const names = [sum.receipts, sum.turnover, sum.prizes, sum.refunds, sum.pending, sum.margin]
  return [
    { name: first },
    ...names.concat(sum.cancelled, sum.paidOut).map((name) => ({ name, isNumber: true })),
  ]
}

const SumCells = ({ sums }: { readonly sums: Sums }) => (
  <>
    <td class="right">{whole(sums.receipts)}</td>
    <td class="right">{plainMoney(sums.turnover)}</td>
    <td class="right">{plainMoney(sums.prizes)}</td>
    <td class="right">{plainMoney(sums.refunds)}</td>
    <td class="right">{plainMoney(sums.pending)}</td>
    <td class="right">{plainMoney(sums.margin)}</td>
    <td class="right">
      {plainMoney(sums.cancelled)} <small>({whole(sums.cancelledReceipts)})</small>
    </td>
    <td class="right">{plainMoney(sums.paidOut)}</td>
  </>
)

/** Latest first. A day leads to its cashiers. */
export const DaysTable = ({ days, period }: { readonly days: DayFigures; readonly period: Period }) => {
  const { figures } = texts.value
  const total = (
    <tr>
      <th scope="row">{figures.total}</th>
      <SumCells sums={days.totals} />
    </tr>
  )
  return (
    <Panel title={figures.days}>
      <Table label={figures.days} columns={columnsAfter(figures.day)} foot={total}>
        {days.days
          .slice()
          .reverse()
          .map((day) => (
            <tr key={day.date}>
              <th scope="row">
                <a href={linkTo('figures', { ...period, day: day.date })}>{dayName(day.date)}</a>
              </th>
              <SumCells sums={day} />
            </tr>
          ))}
      </Table>
    </Panel>
  )
}

/** What each cashier sold and paid, in the whole period or on the chosen day. */
export const Cashiers = (props: {
  readonly days: DayFigures
  readonly period: Period
  readonly chosen: string | undefined
}) => {
  const { figures, nothing } = texts.value
  const day = props.days.days.find(({ date }) => date === props.chosen)
  const { cashiers } = day ?? props.days
  return (
    <Panel
      title={day ? figures.cashiersOf(dayName(day.date)) : figures.cashiers}
      side={day && <a href={linkTo('figures', props.period)}>{figures.wholePeriod}</a>}
    >
      <Table
        label={figures.cashiers}
        columns={columnsAfter(figures.cashier)}
        empty={cashiers.length === 0 && nothing}
      >
        {cashiers.map((cashier) => (
          <tr key={cashier.userId}>
            <th scope="row">{cashier.name ?? cashier.userId}</th>
            <SumCells sums={cashier} />
          </tr>
        ))}
      </Table>
    </Panel>
  )
}
