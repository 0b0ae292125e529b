import type { Context } from 'hono'
import * as v from 'valibot'
import type { TimeKey } from '../../db/racing/audit.queries.ts'
import { dayIn, type TimeZone } from '../../domain/day.ts'
import { refusal } from '../answer.ts'
import { RECEIPT_STATUSES } from './racing.schema.ts'

// What lists by time are asked with. An absent filter and an empty one are the same: forms send both.

const filter = <S extends v.GenericSchema<string, unknown>>(schema: S) =>
  v.optional(
    v.union([
      v.pipe(
        v.literal(''),
        v.transform(() => undefined),
      ),
      schema,
    ]),
  )
const whole = (what: string) => filter(v.pipe(v.string(), v.regex(/^\d{1,15}$/, what), v.transform(Number)))
const date = v.pipe(v.string(), v.regex(/^\d{4}-\d{2}-\d{2}$/, 'A day as YYYY-MM-DD'))

const MOST_LINES = 200
const page = {
  before: filter(
    v.pipe(
      v.string(),
      v.regex(/^\d{1,15}-\d{1,15}$/, 'What an earlier page gave as next'),
      v.transform((text): TimeKey => {
        const [at, id] = text.split('-').map(Number) as [number, number]
        return { at, id }
      }),
      v.check(({ at }) => at <= LAST_TIME, 'What an earlier page gave as next'),
    ),
  ),
  limit: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^[1-9]\d{0,2}$/, `A whole number from 1 to ${MOST_LINES}`),
      v.transform(Number),
      v.maxValue(MOST_LINES, `A whole number from 1 to ${MOST_LINES}`),
    ),
    '50',
  ),
}
/** Later times are written with a longer year, which Postgres does not read. */
const LAST_TIME = Date.UTC(9999, 11, 30)

export const DaysQuery = v.object({ from: date, to: date })
const rounds = { from: filter(date), to: filter(date), track: filter(v.string()) }
export const RoundsTableQuery = v.object(rounds)
export const RoundsQuery = v.object({ ...rounds, ...page })
const receipts = {
  from: filter(date),
  to: filter(date),
  userId: whole('The id of a user'),
  roundId: whole('The id of a round'),
  status: filter(v.picklist(RECEIPT_STATUSES, 'The status of a receipt')),
}
export const ReceiptsTableQuery = v.object(receipts)
export const ReceiptsQuery = v.object({ ...receipts, ...page, id: whole('The number of a receipt') })

/** The times that two dates cover, both included and both optional; or the refusal of a date that there is not. */
export const timesBetween = (
  c: Context,
  { from, to }: { readonly from?: string | undefined; readonly to?: string | undefined },
  timeZone: TimeZone,
): { from: number | undefined; to: number | undefined } | Response => {
  const first = from === undefined ? undefined : dayIn(from, timeZone)
  const last = to === undefined ? undefined : dayIn(to, timeZone)
  const noSuchDay = (path: string) =>
    refusal(c, 'BAD_REQUEST', undefined, [{ path, message: 'There is no such day' }])
  if (from !== undefined && !isUsable(first)) return noSuchDay('from')
  if (to !== undefined && !isUsable(last)) return noSuchDay('to')
  return { from: first?.from, to: last?.to }
}

/** Years before 1 and after 9999 are written otherwise. */
const isUsable = (day: { from: number; to: number } | undefined): boolean =>
  day !== undefined && day.to <= LAST_TIME && day.from >= Date.UTC(1970, 0, 1)

export const keyText = (key: TimeKey | undefined): string | null => (key ? `${key.at}-${key.id}` : null)

const parameter = (
  name: string,
  schema: Record<string, unknown>,
  required = false,
  description?: string,
) => ({
  name,
  in: 'query' as const,
  required,
  schema,
  ...(description && { description }),
})
const day = (name: 'from' | 'to', required: boolean) =>
  parameter(
    name,
    { type: 'string', format: 'date' },
    required,
    'A day in the time zone of the shop; both are included.',
  )
const pageParameters = [
  parameter(
    'before',
    { type: 'string', pattern: '^\\d{1,15}-\\d{1,15}$' },
    false,
    'The `next` of the page before.',
  ),
  parameter('limit', { type: 'integer', minimum: 1, maximum: MOST_LINES, default: 50 }),
]

/** The same for OpenAPI. */
export const parameters = {
  days: [day('from', true), day('to', true)],
  rounds: [day('from', false), day('to', false), parameter('track', { type: 'string' })],
  receipts: [
    day('from', false),
    day('to', false),
    parameter('userId', { type: 'integer', minimum: 0 }, false, 'Who sold it.'),
    parameter('roundId', { type: 'integer', minimum: 0 }),
    parameter('status', { type: 'string', enum: [...RECEIPT_STATUSES] }),
  ],
  page: pageParameters,
  number: parameter('id', { type: 'string', pattern: '^\\d{1,15}$' }, false, 'The number of a receipt.'),
}
