import * as v from 'valibot'
import type { Outcome, RacingPort } from '../../actors/racing/racing.port.ts'
import { isRefusal } from '../../domain/racing/refusals.ts'
import { failure } from '../answer.ts'
import { type Answer, type LiveCommand, liveCommand } from '../live-command.ts'
import { SaleBody } from './receipts.docs.ts'
import { trackOf } from './receipts.routes.ts'
import {
  isOfAnother,
  NO_ONCE_KEY,
  NO_SUCH_TRACK,
  ONCE_KEY,
  onceKeyOf,
  SOLD_BY_ANOTHER,
  saleOn,
  sellCommand,
} from './sale.ts'
import { soldTexts } from './sold.text.ts'

const Message = v.object({
  track: v.optional(v.string()),
  key: v.optional(v.pipe(v.string(), v.regex(ONCE_KEY, NO_ONCE_KEY))),
  sale: SaleBody,
})

/** `sell`: what `POST /receipts/?action=add` does, for a station that keeps a socket open. */
export const sellByMessage = (racing: Pick<RacingPort, 'tracks' | 'sell'>): LiveCommand => {
  const soldText = soldTexts()
  const answerOf = (outcome: Outcome): Answer =>
    isRefusal(outcome)
      ? failure(outcome.refused, undefined, outcome.details)
      : `{"success":true,"data":${soldText(outcome)}}`
  return liveCommand('sell', Message, ({ track: asked, key, sale }, session) => {
    const track = trackOf(racing, asked)
    if (track === undefined) return failure('BAD_REQUEST', NO_SUCH_TRACK, { tracks: racing.tracks })
    if (isOfAnother(sale, session)) return failure('FORBIDDEN', SOLD_BY_ANOTHER)
    const once = key === undefined ? undefined : onceKeyOf(session, key, saleOn(track), sale)
    return racing.sell(track, sellCommand(sale, session), once).then(answerOf)
  })
}
