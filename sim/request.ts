import type { OnceKey } from '../src/actors/racing/racing.port.ts'
import type { AskedBet, Person } from '../src/domain/racing/decide.ts'
import type { ReceiptView } from '../src/domain/racing/receipt-view.ts'
import type { Refusal } from '../src/domain/racing/refusals.ts'

/** What somebody at a counter wants. Sent again it is the same request. */
export type Request = {
  readonly id: number
  readonly by: Person
  readonly once: OnceKey | undefined
} & (
  | { readonly type: 'SellReceipt'; readonly track: string; readonly bets: readonly AskedBet[] }
  | { readonly type: 'CancelReceipt' | 'PrintReceipt' | 'PayReceipt'; readonly receipt: number }
)

/** What became of a request that was sent once. */
export type Reply<T> =
  | { readonly kind: 'answered'; readonly answer: T }
  /** 503: the server says that it cannot at present. */
  | { readonly kind: 'unavailable' }
  /** No server was there. */
  | { readonly kind: 'unreachable' }
  /** The server died, or the answer was lost on its way: nobody at the counter knows what happened. */
  | { readonly kind: 'lost' }

export type Outcome = ReceiptView | Refusal
