/** A day in a time zone: from `from` until before `to`, milliseconds since 1970. */
export type Day = { readonly from: number; readonly to: number }

/** An IANA name; `undefined` for the zone of the machine. Its name is found when it is needed: that takes some 15 ms. */
export type TimeZone = string | undefined

export const nameOfZone = (timeZone: TimeZone): string =>
  timeZone ?? new Intl.DateTimeFormat().resolvedOptions().timeZone

/**
 * The times that a date covers where the shop stands, daylight saving included.
 * @param date `YYYY-MM-DD`
 * @returns `undefined` where there is no such date
 */
export const dayIn = (date: string, timeZone: TimeZone): Day | undefined => {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(date)
  if (!match) return undefined
  const [year, month, day] = match.slice(1).map(Number) as [number, number, number]
  const midnight = Date.UTC(year, month - 1, day)
  if (new Date(midnight).toISOString().slice(0, 10) !== date) return undefined
  return { from: instantOf(midnight, timeZone), to: instantOf(Date.UTC(year, month - 1, day + 1), timeZone) }
}

/** The date that a zone has at a time, as `YYYY-MM-DD`. */
export const dateIn = (at: number, timeZone: TimeZone): string =>
  new Date(at + offsetAt(at, timeZone)).toISOString().slice(0, 10)

/** When the clocks of the zone show what `wall` shows in UTC. Two steps settle it around a change of the clocks. */
const instantOf = (wall: number, timeZone: TimeZone): number => {
  const first = wall - offsetAt(wall, timeZone)
  return wall - offsetAt(first, timeZone)
}

const formats = new Map<TimeZone, Intl.DateTimeFormat>()

const offsetAt = (at: number, timeZone: TimeZone): number => {
  let format = formats.get(timeZone)
  if (!format) {
    format = new Intl.DateTimeFormat('en-GB', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    })
    formats.set(timeZone, format)
  }
  const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]))
  return Date.UTC(part.year!, part.month! - 1, part.day!, part.hour!, part.minute!, part.second!) - at
}
