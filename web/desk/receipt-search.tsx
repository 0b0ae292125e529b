import type { User } from '../api.d.ts'
import { DayField } from './day-field.tsx'
import { type Asked, linkTo } from './place.ts'
import { texts } from './texts.ts'

export const STATUSES = ['pending', 'won', 'lost', 'paid', 'cancelled', 'refundable', 'refunded'] as const
const ASKED = ['id', 'userId', 'status', 'roundId', 'from', 'to'] as const

/** By number, as typed or scanned, or by whatever else is known of a receipt. */
export const SearchForm = ({ asked, users }: { readonly asked: Asked; readonly users: readonly User[] }) => {
  const { receiptSearch: receipts, periods, any } = texts.value
  const search = (event: SubmitEvent): void => {
    event.preventDefault()
    const typed = new FormData(event.currentTarget as HTMLFormElement)
    const wanted: Record<string, string> = {}
    for (const name of ASKED) {
      const text = String(typed.get(name)).trim()
      wanted[name] = name === 'id' || name === 'roundId' ? text.replace(/\D/g, '') : text
    }
    location.hash = linkTo('receipts', wanted)
  }
  return (
    <form class="line" key={JSON.stringify(asked)} onSubmit={search}>
      <label>
        {receipts.id}
        <input
          name="id"
          inputMode="numeric"
          autocomplete="off"
          maxLength={40}
          defaultValue={asked.id ?? ''}
        />
      </label>
      <label>
        {receipts.soldBy}
        <select name="userId">
          <option value="">{any}</option>
          {users.map(({ id, name }) => (
            <option key={id} value={id} selected={asked.userId === String(id)}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label>
        {receipts.status}
        <select name="status">
          <option value="">{any}</option>
          {STATUSES.map((status) => (
            <option key={status} value={status} selected={asked.status === status}>
              {receipts.statuses[status]}
            </option>
          ))}
        </select>
      </label>
      <label>
        {receipts.round}
        <input
          name="roundId"
          inputMode="numeric"
          autocomplete="off"
          maxLength={12}
          defaultValue={asked.roundId ?? ''}
        />
      </label>
      <DayField label={periods.from} name="from" day={asked.from ?? ''} />
      <DayField label={periods.to} name="to" day={asked.to ?? ''} />
      <button type="submit" class="primary">
        {receipts.find}
      </button>
      <a href={linkTo('receipts')}>{receipts.clear}</a>
    </form>
  )
}
