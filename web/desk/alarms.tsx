import { dateTime, time } from '../format.ts'
import { useAnswer } from './answer.ts'
import { texts } from './texts.ts'
import { complaintOf, wordFor } from './words.ts'

const EVERY_MS = 10_000

/** What is wrong with the shop, on every section of the desk. Whether anything is, is said too. */
export const Alarms = () => {
  const { data, refusal } = useAnswer('GET /api/v1/ops/alarms', {}, { everyMs: EVERY_MS })
  const { alarms } = texts.value
  const some = data?.alarms ?? []
  return (
    <section class={refusal || some.length > 0 ? 'alarms wrong' : 'alarms'} aria-label={alarms.title}>
      {refusal && (
        <p role="alert">
          {alarms.unknown} {complaintOf(refusal)}
        </p>
      )}
      {!refusal && data && some.length === 0 && (
        <p>{data.checkedAt === null ? alarms.notYet : alarms.none(time(data.checkedAt))}</p>
      )}
      {some.length > 0 && (
        <div role="alert">
          <ul>
            {some.map(({ code, since, message }) => (
              <li key={code}>
                <strong>{wordFor(alarms.codes, code)}</strong> {alarms.since(dateTime(since))}{' '}
                <small lang="en">{message}</small>
              </li>
            ))}
          </ul>
        </div>
      )}
    </section>
  )
}
