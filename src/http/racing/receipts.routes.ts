import { type Context, Hono } from 'hono'
import type { OnceKey, RacingPort } from '../../actors/racing/racing.port.ts'
import type { Person, ReceiptCommand } from '../../domain/racing/decide.ts'
import { unpayable, untouchable } from '../../domain/racing/decide.ts'
import type { ReceiptView } from '../../domain/racing/receipt-view.ts'
import { isRefusal, type Refusal, refuse } from '../../domain/racing/refusals.ts'
import { failure, okText, refusal } from '../answer.ts'
import { checked, readBody } from '../body.ts'
import { forSignedIn } from '../guard.ts'
import { route } from '../route.ts'
import type { Session, Sessions } from '../session.ts'
import { ChangeQuery, docs, PrintQuery, SaleBody } from './receipts.docs.ts'
import type { ReceiptPages } from './receipts.pages.ts'
import {
  isOfAnother,
  NO_ONCE_KEY,
  NO_SUCH_TRACK,
  ONCE_KEY,
  onceKeyOf,
  personOf,
  SOLD_BY_ANOTHER,
  saleOn,
  sellCommand,
} from './sale.ts'
import { soldTexts } from './sold.text.ts'

export type ReceiptsOptions = {
  readonly racing: RacingPort
  readonly sessions: Sessions
  readonly pages: ReceiptPages
  readonly nameOf: NameOf
}

/** `/receipts`: sell, cancel, print, and the slip of a prize. */
export const receiptsRoutes = ({ racing, sessions, pages, nameOf }: ReceiptsOptions) => {
  const app = new Hono()
  const soldText = soldTexts()

  const sell = async (c: Context, session: Session, track: string): Promise<Response> => {
    const sale = await readBody(c, SaleBody)
    if (sale instanceof Response) return sale
    if (isOfAnother(sale, session)) return refusal(c, 'FORBIDDEN', SOLD_BY_ANOTHER)
    const once = onceKey(c, session, saleOn(track), sale)
    if (once instanceof Response) return once
    const outcome = await racing.sell(track, sellCommand(sale, session), once)
    return isRefusal(outcome) ? refuseWith(c, outcome, nameOf) : okText(c, soldText(outcome))
  }

  const cancel = async (c: Context, session: Session, id: number): Promise<Response> => {
    const once = onceKey(c, session, 'delete', id)
    if (once instanceof Response) return once
    const outcome = await racing.change({ type: 'CancelReceipt', by: personOf(session), id }, once)
    return isRefusal(outcome) ? refuseWith(c, outcome, nameOf) : c.json({ success: true })
  }

  /** Sales ask the same few things in their query, so what was found in it once is remembered. */
  const salesAsked = new Map<string, string>()

  const change = (c: Context, session: Session): Response | Promise<Response> => {
    const asked = c.req.url.slice(c.req.url.indexOf('?'))
    const known = salesAsked.get(asked)
    if (known !== undefined) return sell(c, session, known)
    const query = checked(c, ChangeQuery, c.req.query())
    if (query instanceof Response) return query
    if (query.action === 'delete') return cancel(c, session, query.id)
    const track = trackOf(racing, query.track)
    if (track === undefined) return unknownTrack(c, racing)
    if (salesAsked.size < MOST_REMEMBERED) salesAsked.set(asked, track)
    return sell(c, session, track)
  }

  const print = async (c: Context, session: Session): Promise<Response> => {
    const query = checked(c, PrintQuery, c.req.query())
    if (query instanceof Response) return query
    const by = personOf(session)
    const language = pages.languageOf(query.lang, c.req.header('accept-language'))
    if (query.action === 'print') {
      const command: ReceiptCommand = { type: 'PrintReceipt', by, id: query.id }
      const outcome = await racing.change(command)
      return isRefusal(outcome) ? refuseWith(c, outcome, nameOf) : pages.receipt(c, outcome, language)
    }
    const outcome = await payableReceipt(racing, query.id, by)
    return isRefusal(outcome) ? refuseWith(c, outcome, nameOf) : pages.payout(c, outcome, by.id, language)
  }

  route(app, 'POST', '/receipts/', docs.change, forSignedIn(sessions, change))
  route(app, 'GET', '/receipts/', docs.print, forSignedIn(sessions, print))
  return app
}

const MOST_REMEMBERED = 100

/** The receipt, if there is a prize or a stake to be handed out for it. */
const payableReceipt = async (racing: RacingPort, id: number, by: Person): Promise<ReceiptView | Refusal> => {
  const receipt = await racing.find(id)
  if (!receipt) return refuse('RECEIPT_UNKNOWN', { id })
  return untouchable(receipt, receipt.by, by) ?? unpayable(receipt, receipt.endsAt) ?? receipt
}

/** Answers a refusal; who paid or cancelled a receipt is told by name, and when as a date. */
export const refuseWith = (c: Context, { refused, details }: Refusal, nameOf?: NameOf): Response => {
  if (!('by' in details)) return refusal(c, refused, undefined, details)
  const { by, at, ...rest } = details
  return refusal(c, refused, undefined, {
    ...rest,
    at: new Date(at).toISOString(),
    by,
    byName: nameOf?.(by) ?? null,
  })
}

/** What a user is called. */
export type NameOf = (userId: number) => string | undefined

/** The track asked for, or the first; `undefined` where there is none of that name. */
export const trackOf = (racing: Pick<RacingPort, 'tracks'>, asked: string | undefined): string | undefined =>
  asked === undefined ? racing.tracks[0] : racing.tracks.find((track) => track === asked)

export const unknownTrack = (c: Context, { tracks }: Pick<RacingPort, 'tracks'>): Response =>
  refusal(c, 'BAD_REQUEST', NO_SUCH_TRACK, { tracks })

/** The idempotency key of a request, with a digest of what it asks; `undefined` where it brings none. */
export const onceKey = (
  c: Context,
  session: Session,
  action: string,
  asked: unknown,
): OnceKey | undefined | Response => {
  const key = c.req.header('idempotency-key')
  if (key === undefined) return undefined
  if (!ONCE_KEY.test(key)) return c.json(failure('BAD_REQUEST', NO_ONCE_KEY), 400)
  return onceKeyOf(session, key, action, asked)
}
