import { dayOf } from '../format.ts'
import { DayField } from './day-field.tsx'
import { type Asked, linkTo } from './place.ts'
import { texts } from './texts.ts'

/** Days from and to, both included. */
export type Period = { readonly from: string; readonly to: string }

const DAY = /^\d{4}-\d{2}-\d{2}$/
const DAY_MS = 86_400_000

/** `2026-11-21` and -6 is `2026-11-15`. */
const dayBeside = (day: string, days: number): string =>
  new Date(Date.parse(`${day}T12:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10)

/** What the address asks for, else the last seven days. */
export const periodOf = ({ from = '', to = '' }: Asked): Period => {
  const last = DAY.test(to) ? to : dayOf(Date.now())
  return { from: DAY.test(from) ? from : dayBeside(last, -6), to: last }
}

export const PeriodForm = ({ period }: { readonly period: Period }) => {
  const { periods } = texts.value
  const today = dayOf(Date.now())
  const go = (event: SubmitEvent): void => {
    event.preventDefault()
    const typed = new FormData(event.currentTarget as HTMLFormElement)
    location.hash = linkTo('figures', { from: String(typed.get('from')), to: String(typed.get('to')) })
  }
  const shortcuts = [
    [0, periods.today],
    [-6, periods.week],
    [-29, periods.month],
  ] as const
  return (
    <form class="line" key={`${period.from} ${period.to}`} onSubmit={go}>
      <DayField label={periods.from} name="from" day={period.from} isRequired />
      <DayField label={periods.to} name="to" day={period.to} isRequired />
      <button type="submit" class="primary">
        {periods.show}
      </button>
      {shortcuts.map(([days, words]) => (
        <a key={days} href={linkTo('figures', { from: dayBeside(today, days), to: today })}>
          {words}
        </a>
      ))}
    </form>
  )
}
