// Written by scripts/api-types.ts from /openapi.json: do not edit.

export type Alarm = {
  readonly code: string
  readonly id: string
  readonly message: string
  readonly since: number
}

export type AuditReceipt = {
  readonly id: number
  readonly roundId: number
  readonly track: string
  readonly userId: number
  readonly userName: string | null
  readonly soldAt: number
  readonly stakes: number
  readonly prize: number
  readonly status: 'pending' | 'won' | 'lost' | 'paid' | 'cancelled' | 'refundable' | 'refunded'
  readonly prints: number
  readonly closedBy: number | null
  readonly closedByName: string | null
  readonly closedAt: number | null
}

export type Bet = {
  readonly number: number
  readonly value: number
  readonly participant: { readonly number: number; readonly name: string; readonly coeff: number }
  readonly prize: number
}

export type DayFigures = {
  readonly timeZone: string
  readonly currency: string
  readonly days: readonly {
    readonly date: string
    readonly receipts: number
    readonly turnover: number
    readonly cancelledReceipts: number
    readonly cancelled: number
    readonly pending: number
    readonly refunds: number
    readonly prizes: number
    readonly margin: number
    readonly paidOut: number
    readonly cashiers: readonly PersonSums[]
  }[]
  readonly totals: Sums
  readonly cashiers: readonly PersonSums[]
  readonly history: 'complete' | 'unavailable'
}

export type FailedJob = {
  readonly queue: 'persist' | 'cache'
  readonly id: string
  readonly name: string
  readonly roundId: number | null
  readonly facts: { readonly first: number; readonly last: number } | null
  readonly receipts: number
  readonly amount: number
  readonly reason: string
  readonly attempts: number
  readonly failedAt: number | null
}

export type Failure = {
  readonly success: false
  readonly error: {
    readonly code:
      | 'NO_ROUND'
      | 'BETTING_LOCKED'
      | 'RACE_RUNNING'
      | 'ROUND_SETTLED'
      | 'ROUND_VOIDED'
      | 'ROUND_DECIDED'
      | 'ROUND_CHANGED'
      | 'NO_BETS'
      | 'STAKE_OUT_OF_LIMITS'
      | 'PARTICIPANT_UNKNOWN'
      | 'PARTICIPANT_REPEATED'
      | 'PARTICIPANT_CHANGED'
      | 'COEFFICIENT_CHANGED'
      | 'EXPOSURE_REACHED'
      | 'RECEIPT_UNKNOWN'
      | 'RECEIPT_FOREIGN'
      | 'RECEIPT_HISTORICAL'
      | 'RECEIPT_CANCELLED'
      | 'RECEIPT_NOT_SETTLED'
      | 'RECEIPT_NOT_A_WINNER'
      | 'RECEIPT_ALREADY_PAID'
      | 'RECEIPT_ALREADY_REFUNDED'
      | 'IDEMPOTENCY_KEY_REUSED'
      | 'TOO_MANY_KEYS'
      | 'WRONG_PASSWORD'
      | 'NAME_TAKEN'
      | 'USER_UNKNOWN'
      | 'LAST_ADMIN'
      | 'BAD_JSON'
      | 'BAD_REQUEST'
      | 'UNAUTHENTICATED'
      | 'FORBIDDEN'
      | 'CROSS_SITE'
      | 'NOT_FOUND'
      | 'METHOD_NOT_ALLOWED'
      | 'BODY_TOO_LARGE'
      | 'UNSUPPORTED_MEDIA_TYPE'
      | 'TOO_MANY_REQUESTS'
      | 'TOO_MANY_COMMANDS'
      | 'INTERNAL'
      | 'JOURNAL_UNAVAILABLE'
      | 'POSTGRES_UNAVAILABLE'
    readonly message: string
    readonly details: unknown
  }
}

export type JobRetry = {
  readonly id: number
  readonly at: number
  readonly by: number
  readonly byName: string | null
  readonly queue: string
  readonly jobId: string
  readonly jobName: string
  readonly roundId: number | null
  readonly receipts: number
  readonly amount: number
  readonly result: 'asked' | 'retried' | 'gone' | 'not-failed'
}

export type LiveFigures = {
  readonly round: Round
  readonly paused: boolean
  readonly receipts: number
  readonly stakes: number
  readonly cancelled: { readonly receipts: number; readonly stakes: number }
  readonly exposure: { readonly worst: number; readonly cap: number }
  readonly participants: readonly {
    readonly number: number
    readonly name: string
    readonly coeff: number
    readonly stakes: number
    readonly liability: number
  }[]
}

export type Login = { readonly name?: string; readonly username?: string; readonly password: string }

export type MyBets = {
  readonly pagination: Pagination
  readonly stats: Stats
  readonly tickets: readonly PublicTicket[]
  readonly history: 'complete' | 'unavailable'
}

export type MyDay = {
  readonly date: string
  readonly sold: { readonly receipts: number; readonly amount: number }
  readonly cancelled: { readonly receipts: number; readonly amount: number }
  readonly paid: { readonly receipts: number; readonly amount: number }
  readonly refunded: { readonly receipts: number; readonly amount: number }
  readonly balance: number
  readonly history: 'complete' | 'unavailable'
}

export type NewPassword = { readonly password: string }

export type NewUser = { readonly name: string; readonly password: string; readonly role: 'admin' | 'cashier' }

export type Pagination = {
  readonly currentPage: number
  readonly totalPages: number
  readonly totalItems: number
  readonly limit: number
  readonly displayedRange: string
}

export type PaidReceipt = {
  readonly id: number
  readonly receipt_id: number
  readonly roundId: number
  readonly status: 'paid' | 'refunded'
  readonly prize: number
  readonly amount: number
  readonly paidAt: string
  readonly paidBy: number
}

export type PastRound = {
  readonly id: number
  readonly roundId: number
  readonly track: string
  readonly status: 'settled'
  readonly openedAt: number
  readonly settledAt: number
  readonly participants: readonly { readonly number: number; readonly name: string; readonly coeff: number }[]
  readonly commitment: string
  readonly result: {
    readonly order: readonly number[]
    readonly winner: number
    readonly seed: string
  } | null
  readonly voided?: { readonly at: number; readonly seed: string }
}

export type Person = { readonly id: number; readonly name: string; readonly role: 'admin' | 'cashier' }

export type PersonSums = {
  readonly userId: number
  readonly name: string | null
  readonly receipts: number
  readonly turnover: number
  readonly cancelledReceipts: number
  readonly cancelled: number
  readonly pending: number
  readonly refunds: number
  readonly prizes: number
  readonly margin: number
  readonly paidOut: number
}

export type PublicTicket = {
  readonly id: number
  readonly receipt_id: number
  readonly round_id: number
  readonly user_id: number
  readonly total_amount: number
  readonly status: 'pending' | 'won' | 'lost' | 'paid' | 'cancelled' | 'refundable' | 'refunded'
  readonly prize: number
  readonly created_at: string
  readonly bets: readonly Bet[]
  readonly roundId: number
  readonly track: string
  readonly totalAmount: number
  readonly paidAt?: string
  readonly paidBy?: number
  readonly refundedAt?: string
  readonly refundedBy?: number
  readonly cancelledAt?: string
  readonly cancelledBy?: number
  readonly _source?: 'memory' | 'database'
}

export type ReceiptEvent = {
  readonly number: number
  readonly type: 'sold' | 'cancelled' | 'printed' | 'paid' | 'refunded' | 'round_settled' | 'round_voided'
  readonly at: number
  readonly by: number | null
  readonly byName: string | null
  readonly amount?: number
  readonly copy?: number
  readonly winner?: number
  readonly reason?: string
}

export type RetryJobs =
  | { readonly queue: 'persist' | 'cache'; readonly ids: readonly string[] }
  | { readonly queue: 'persist' | 'cache'; readonly all: true }

export type Round = {
  readonly id: number
  readonly roundId: number
  readonly track: string
  readonly status: 'waiting' | 'betting-locked' | 'running' | 'settled'
  readonly participants: readonly { readonly number: number; readonly name: string; readonly coeff: number }[]
  readonly commitment: string
  readonly locksAt: number
  readonly startsAt: number
  readonly endsAt: number
  readonly nextAt: number
  readonly timer: Timer
  readonly result?: { readonly order: readonly number[]; readonly winner: number; readonly seed: string }
  readonly voided?: { readonly at: number; readonly seed: string }
}

export type RoundFigures = {
  readonly roundId: number
  readonly track: string
  readonly status: 'waiting' | 'betting-locked' | 'running' | 'settled'
  readonly openedAt: number
  readonly settledAt: number | null
  readonly winner: number | null
  readonly voided: boolean
  readonly receipts: number
  readonly stakes: number
  readonly prizes: number
  readonly margin: number | null
}

export type RoundStats = {
  readonly totalReceipts: number
  readonly totalMise: number
  readonly participantMise: { readonly [name: string]: number }
  readonly largestStakes?: { readonly [name: string]: number }
}

export type Sale = {
  readonly user_id?: number
  readonly round_id?: number
  readonly bets: readonly {
    readonly participant: { readonly number: number; readonly name?: string; readonly coeff?: number }
    readonly value: number
  }[]
}

export type Shop = {
  readonly name: string
  readonly station: string
  readonly currency: string
  readonly timeZone: string
  readonly publicUrl: string | null
  readonly tracks: readonly string[]
  readonly limits: { readonly minStake: number; readonly maxStake: number; readonly betsPerReceipt: number }
  readonly durationsMs: {
    readonly wait: number
    readonly lock: number
    readonly race: number
    readonly results: number
  }
  readonly isDemonstration: boolean
}

export type SoldReceipt = {
  readonly id: number
  readonly roundId: number
  readonly total_amount: number
  readonly prize: number
  readonly created_at: string
  readonly bets: readonly Bet[]
}

export type Stats = {
  readonly totalBetAmount: number
  readonly potentialWinnings: number
  readonly activeTicketsCount: number
  readonly winRate: string
  readonly paidWinnings: number
  readonly pendingPayments: number
  readonly pendingRefunds: number
}

export type Sums = {
  readonly receipts: number
  readonly turnover: number
  readonly cancelledReceipts: number
  readonly cancelled: number
  readonly pending: number
  readonly refunds: number
  readonly prizes: number
  readonly margin: number
  readonly paidOut: number
}

export type SystemTicket = {
  readonly id: number
  readonly receipt_id: number
  readonly round_id: number
  readonly user_id: number
  readonly total_amount: number
  readonly status: 'pending' | 'won' | 'lost' | 'paid' | 'cancelled' | 'refundable' | 'refunded'
  readonly prize: number
  readonly created_at: string
  readonly bets: readonly Bet[]
}

export type Timer = { readonly timeLeft: number; readonly totalDuration: number; readonly serverTime: number }

export type Track = {
  readonly track: string
  readonly paused: boolean
  readonly changedAt: number | null
  readonly changedBy: number | null
}

export type User = {
  readonly id: number
  readonly name: string
  readonly role: 'admin' | 'cashier'
  readonly disabled: boolean
}

export type Void = { readonly reason: string }

export type VoidedRound = {
  readonly roundId: number
  readonly track: string
  readonly voidedAt: number
  readonly voidedBy: number
  readonly reason: string
  readonly receipts: number
  readonly stakes: number
}

/** No members. */
export type Nothing = Readonly<Record<never, never>>

/** Of each route: what it is asked with, and the `data` of its answer. */
export type Api = {
  'GET /api/v1/audit/receipts': {
    path: Nothing
    query: {
      id?: string
      from?: string
      to?: string
      userId?: number
      roundId?: number
      status?: 'pending' | 'won' | 'lost' | 'paid' | 'cancelled' | 'refundable' | 'refunded'
      before?: string
      limit?: number
    }
    body: undefined
    data: {
      readonly receipts: readonly AuditReceipt[]
      readonly next: string | null
      readonly history: 'complete' | 'unavailable'
    }
  }
  'GET /api/v1/audit/receipts/{id}': {
    path: { id: string }
    query: Nothing
    body: undefined
    data: {
      readonly receipt: {
        readonly id: number
        readonly roundId: number
        readonly track: string
        readonly userId: number
        readonly userName: string | null
        readonly soldAt: number
        readonly stakes: number
        readonly prize: number
        readonly status: 'pending' | 'won' | 'lost' | 'paid' | 'cancelled' | 'refundable' | 'refunded'
        readonly prints: number
        readonly closedBy: number | null
        readonly closedByName: string | null
        readonly closedAt: number | null
        readonly bets: readonly {
          readonly number: number
          readonly name: string
          readonly coeff: number
          readonly stake: number
          readonly prize: number
        }[]
      }
      readonly owner: 'round' | 'archive'
      readonly history: readonly ReceiptEvent[]
    }
  }
  'GET /api/v1/auth/me': {
    path: Nothing
    query: Nothing
    body: undefined
    data: { readonly expiresAt: number; readonly user: Person }
  }
  'GET /api/v1/figures/days': {
    path: Nothing
    query: { from: string; to: string }
    body: undefined
    data: DayFigures
  }
  'GET /api/v1/figures/live': { path: Nothing; query: { track?: string }; body: undefined; data: LiveFigures }
  'GET /api/v1/figures/rounds': {
    path: Nothing
    query: { from?: string; to?: string; track?: string; before?: string; limit?: number }
    body: undefined
    data: {
      readonly rounds: readonly RoundFigures[]
      readonly next: string | null
      readonly history: 'complete' | 'unavailable'
    }
  }
  'GET /api/v1/init/dashboard': {
    path: Nothing
    query: { track?: string; limit?: number; before?: string }
    body: undefined
    data: {
      readonly round: Round | null
      readonly tickets: readonly PublicTicket[]
      readonly ticketsTotal: number
      readonly next: string | null
      readonly timer: Timer | null
      readonly totalPrize: number
      readonly cacheTimestamp: number
      readonly source: string
    }
  }
  'GET /api/v1/init/game': {
    path: Nothing
    query: { track?: string; limit?: number; before?: string }
    body: undefined
    data: {
      readonly round: Round | null
      readonly timer: Timer | null
      readonly tickets: readonly SystemTicket[]
      readonly ticketsTotal: number
      readonly next: string | null
      readonly isRaceRunning: boolean
      readonly nextRoundStartTime: number
      readonly cacheTimestamp: number
      readonly source: string
    }
  }
  'GET /api/v1/my-bets/': {
    path: Nothing
    query: {
      page?: number
      limit?: number
      date?: string
      status?: 'pending' | 'won' | 'lost' | 'paid' | 'cancelled' | 'refundable' | 'refunded'
      searchId?: string
      user_id?: number
    }
    body: undefined
    data: MyBets
  }
  'GET /api/v1/my-bets/{id}': {
    path: { id: string }
    query: Nothing
    body: undefined
    data: {
      readonly id: number
      readonly receipt_id: number
      readonly round_id: number
      readonly user_id: number
      readonly total_amount: number
      readonly status: 'pending' | 'won' | 'lost' | 'paid' | 'cancelled' | 'refundable' | 'refunded'
      readonly prize: number
      readonly created_at: string
      readonly bets: readonly Bet[]
      readonly roundId: number
      readonly track: string
      readonly totalAmount: number
      readonly paidAt?: string
      readonly paidBy?: number
      readonly refundedAt?: string
      readonly refundedBy?: number
      readonly cancelledAt?: string
      readonly cancelledBy?: number
      readonly _source?: 'memory' | 'database'
      readonly closedByName?: string | null
    }
  }
  'GET /api/v1/my-day/': { path: Nothing; query: { date?: string }; body: undefined; data: MyDay }
  'GET /api/v1/ops/alarms': {
    path: Nothing
    query: Nothing
    body: undefined
    data: { readonly alarms: readonly Alarm[]; readonly checkedAt: number | null }
  }
  'GET /api/v1/ops/jobs/failed': {
    path: Nothing
    query: { queue?: 'persist' | 'cache' }
    body: undefined
    data: {
      readonly jobs: readonly FailedJob[]
      readonly totals: { readonly jobs: number; readonly receipts: number; readonly amount: number }
      readonly truncated: boolean
    }
  }
  'GET /api/v1/ops/jobs/retries': {
    path: Nothing
    query: { before?: number; limit?: number }
    body: undefined
    data: { readonly retries: readonly JobRetry[]; readonly next: number | null }
  }
  'GET /api/v1/ops/persistence': {
    path: Nothing
    query: Nothing
    body: undefined
    data: {
      readonly unstored: {
        readonly receipts: number
        readonly amount: number
        readonly oldestAt: number | null
        readonly oldestAgeMs: number | null
      }
      readonly jobs: {
        readonly [name: string]: {
          readonly waiting: number
          readonly active: number
          readonly delayed: number
          readonly failed: number
          readonly completed: number
        }
      } | null
      readonly failedJobs: number | null
      readonly journal: {
        readonly writable: boolean
        readonly rounds: readonly {
          readonly roundId: number
          readonly track: string
          readonly status: string
          readonly lastFact: number
          readonly handedOver: { readonly persist: number; readonly cache: number }
          readonly notStored: number
          readonly unstored: {
            readonly receipts: number
            readonly amount: number
            readonly oldestAt: number | null
          }
        }[]
      }
      readonly alarms: readonly { readonly code: string; readonly message: string }[]
    }
  }
  'GET /api/v1/receipts/': {
    path: Nothing
    query: { action: 'print' | 'payout'; id: string; lang?: 'fr' | 'en' }
    body: undefined
    data: undefined
  }
  'GET /api/v1/rounds/': {
    path: Nothing
    query: { track?: string; page?: number; limit?: number }
    body: undefined
    data: { readonly pagination: Pagination; readonly rounds: readonly PastRound[] }
  }
  'GET /api/v1/rounds/current': {
    path: Nothing
    query: { track?: string }
    body: undefined
    data: {
      readonly id: number
      readonly roundId: number
      readonly track: string
      readonly status: 'waiting' | 'betting-locked' | 'running' | 'settled'
      readonly participants: readonly {
        readonly number: number
        readonly name: string
        readonly coeff: number
      }[]
      readonly commitment: string
      readonly locksAt: number
      readonly startsAt: number
      readonly endsAt: number
      readonly nextAt: number
      readonly timer: Timer
      readonly result?: { readonly order: readonly number[]; readonly winner: number; readonly seed: string }
      readonly voided?: { readonly at: number; readonly seed: string }
      readonly paused: boolean
      readonly stats?: RoundStats
    }
  }
  'GET /api/v1/rounds/{id}': {
    path: { id: number }
    query: Nothing
    body: undefined
    data:
      | {
          readonly id: number
          readonly roundId: number
          readonly track: string
          readonly status: 'waiting' | 'betting-locked' | 'running' | 'settled'
          readonly participants: readonly {
            readonly number: number
            readonly name: string
            readonly coeff: number
          }[]
          readonly commitment: string
          readonly locksAt: number
          readonly startsAt: number
          readonly endsAt: number
          readonly nextAt: number
          readonly timer: Timer
          readonly result?: {
            readonly order: readonly number[]
            readonly winner: number
            readonly seed: string
          }
          readonly voided?: { readonly at: number; readonly seed: string }
          readonly stats?: RoundStats
        }
      | {
          readonly id: number
          readonly roundId: number
          readonly track: string
          readonly status: 'settled'
          readonly openedAt: number
          readonly settledAt: number
          readonly participants: readonly {
            readonly number: number
            readonly name: string
            readonly coeff: number
          }[]
          readonly commitment: string
          readonly result: {
            readonly order: readonly number[]
            readonly winner: number
            readonly seed: string
          } | null
          readonly voided?: { readonly at: number; readonly seed: string }
          readonly stats?: RoundStats
        }
  }
  'GET /api/v1/rounds/{id}/proof': {
    path: { id: number }
    query: Nothing
    body: undefined
    data: {
      readonly roundId: number
      readonly commitment: string
      readonly chain: { readonly anchor: string; readonly index: number }
      readonly field: readonly { readonly number: number; readonly name: string; readonly chance: number }[]
      readonly seed: string | null
      readonly order: readonly number[] | null
      readonly voided: boolean
      readonly method: readonly string[]
    }
  }
  'GET /api/v1/shop': { path: Nothing; query: Nothing; body: undefined; data: Shop }
  'GET /api/v1/tracks': {
    path: Nothing
    query: Nothing
    body: undefined
    data: { readonly tracks: readonly Track[] }
  }
  'GET /api/v1/users/': { path: Nothing; query: Nothing; body: undefined; data: readonly User[] }
  'GET /health': { path: Nothing; query: Nothing; body: undefined; data: undefined }
  'GET /health/detailed': { path: Nothing; query: Nothing; body: undefined; data: undefined }
  'GET /metrics': { path: Nothing; query: Nothing; body: undefined; data: undefined }
  'POST /api/v1/auth/login': {
    path: Nothing
    query: Nothing
    body: Login
    data: { readonly token: string; readonly expiresAt: number; readonly user: Person }
  }
  'POST /api/v1/auth/logout': { path: Nothing; query: Nothing; body: undefined; data: null }
  'POST /api/v1/my-bets/pay/{id}': {
    path: { id: string }
    query: Nothing
    body: undefined
    data: PaidReceipt
  }
  'POST /api/v1/ops/jobs/retry': {
    path: Nothing
    query: Nothing
    body: RetryJobs
    data: {
      readonly asked: number
      readonly retried: number
      readonly results: readonly { readonly id: string; readonly result: 'retried' | 'gone' | 'not-failed' }[]
    }
  }
  'POST /api/v1/receipts/': {
    path: Nothing
    query: { action: 'add' | 'delete'; id?: string; track?: string }
    body: Sale
    data: SoldReceipt | undefined
  }
  'POST /api/v1/rounds/{id}/void': { path: { id: number }; query: Nothing; body: Void; data: VoidedRound }
  'POST /api/v1/tracks/{track}/pause': {
    path: { track: string }
    query: Nothing
    body: undefined
    data: Track
  }
  'POST /api/v1/tracks/{track}/resume': {
    path: { track: string }
    query: Nothing
    body: undefined
    data: Track
  }
  'POST /api/v1/users/': { path: Nothing; query: Nothing; body: NewUser; data: User }
  'POST /api/v1/users/{id}/disable': { path: { id: number }; query: Nothing; body: undefined; data: User }
  'POST /api/v1/users/{id}/enable': { path: { id: number }; query: Nothing; body: undefined; data: User }
  'POST /api/v1/users/{id}/password': { path: { id: number }; query: Nothing; body: NewPassword; data: User }
}
