import { useState } from 'preact/hooks'
import { fullDay } from '../format.ts'

/**
 * A field for a day. A browser shows and takes dates as its own settings have it, whatever the language of the page, and
 * 11/12 is two days: so the day stands above it in words.
 */
export const DayField = (props: {
  readonly label: string
  readonly name: string
  readonly day: string
  readonly isRequired?: boolean
}) => {
  const [day, choose] = useState(props.day)
  return (
    <label>
      {props.label} {day && <span class="in-words">{fullDay(day)}</span>}
      <input
        type="date"
        name={props.name}
        required={props.isRequired}
        defaultValue={props.day}
        onInput={(event) => choose(event.currentTarget.value)}
      />
    </label>
  )
}
