import { createHash } from 'node:crypto'
import type * as v from 'valibot'
import type { OnceKey } from '../../actors/racing/racing.port.ts'
import type { AskedBet, Person, SellReceipt } from '../../domain/racing/decide.ts'
import { isAdmin, type Session } from '../session.ts'
import type { SaleBody } from './receipts.docs.ts'

// A sale, whichever way it is asked for: by a request, or by a message of a socket.
//   S1. What is asked for alike is the same sale by either way: the same key brings the same answer.

export type Sale = v.InferOutput<typeof SaleBody>

export const personOf = (session: Session): Person => ({ id: session.userId, admin: isAdmin(session) })

/** Whether a sale names another seller than whoever is signed in. That is a 403, with these words. */
export const isOfAnother = (sale: Sale, session: Session): boolean =>
  sale.user_id !== undefined && sale.user_id !== session.userId
export const SOLD_BY_ANOTHER =
  'A receipt is sold by whoever is signed in; leave user_id out, or send your own.'

export const sellCommand = (sale: Sale, session: Session): SellReceipt => ({
  type: 'SellReceipt',
  by: personOf(session),
  bets: sale.bets.map(askedBet),
  roundId: sale.round_id,
})

const askedBet = ({ participant: { number, name, coeff }, value }: Sale['bets'][number]): AskedBet => ({
  number,
  name,
  coeff,
  stake: value,
})

/** What an idempotency key may be, and what whoever sends another one is told. */
export const ONCE_KEY = /^[\x21-\x7e]{1,200}$/
export const NO_ONCE_KEY = 'An Idempotency-Key is 1 to 200 visible ASCII characters without spaces.'

/** A key with a digest of what is asked under it. `action` says what is done, and on which track. */
export const onceKeyOf = (session: Session, key: string, action: string, asked: unknown): OnceKey => {
  const digest = createHash('sha256')
    .update(`${action}\n${JSON.stringify(asked)}`)
    .digest('base64url')
  return { user: session.userId, key, digest }
}

/** The action of a sale, for its digest. */
export const saleOn = (track: string): string => `add ${track}`

export const NO_SUCH_TRACK = 'There is no such track; the details list those that there are.'
