import * as v from 'valibot'

// The shapes of racing's answers, for OpenAPI. Amounts are in the smallest unit unless a description says public.

const participant = v.object({ number: v.number(), name: v.string(), coeff: v.number() })
export const RECEIPT_STATUSES = [
  'pending',
  'won',
  'lost',
  'paid',
  'cancelled',
  'refundable',
  'refunded',
] as const
const status = v.picklist(RECEIPT_STATUSES)

export const SystemBetSchema = v.pipe(
  v.object({ number: v.number(), value: v.number(), participant, prize: v.number() }),
  v.metadata({ ref: 'Bet' }),
)

const ticket = {
  id: v.number(),
  receipt_id: v.number(),
  round_id: v.number(),
  user_id: v.number(),
  total_amount: v.number(),
  status,
  prize: v.number(),
  created_at: v.string(),
  bets: v.array(SystemBetSchema),
}
export const SystemTicketSchema = v.pipe(
  v.object(ticket),
  v.metadata({ ref: 'SystemTicket', description: 'Amounts in the smallest unit.' }),
)
export const PublicTicketSchema = v.pipe(
  v.object({
    ...ticket,
    roundId: v.number(),
    track: v.string(),
    totalAmount: v.number(),
    paidAt: v.optional(v.string()),
    paidBy: v.optional(v.number()),
    refundedAt: v.optional(v.string()),
    refundedBy: v.optional(v.number()),
    cancelledAt: v.optional(v.string()),
    cancelledBy: v.optional(v.number()),
    _source: v.optional(v.picklist(['memory', 'database'])),
  }),
  v.metadata({ ref: 'PublicTicket', description: 'Amounts in the public unit: 100 is 100.00.' }),
)

export const TimerSchema = v.pipe(
  v.object({ timeLeft: v.number(), totalDuration: v.number(), serverTime: v.number() }),
  v.metadata({ ref: 'Timer', description: 'Milliseconds until the race, its end, or the next round.' }),
)

const result = v.object({ order: v.array(v.number()), winner: v.number(), seed: v.string() })

export const RoundSchema = v.pipe(
  v.object({
    id: v.number(),
    roundId: v.number(),
    track: v.string(),
    status: v.picklist(['waiting', 'betting-locked', 'running', 'settled']),
    participants: v.array(participant),
    commitment: v.string(),
    locksAt: v.number(),
    startsAt: v.number(),
    endsAt: v.number(),
    nextAt: v.number(),
    timer: TimerSchema,
    result: v.optional(result),
    voided: v.optional(v.object({ at: v.number(), seed: v.string() })),
  }),
  v.metadata({
    ref: 'Round',
    description:
      'Times in milliseconds since 1970. The result only once the race is over. A voided round is settled without one.',
  }),
)

export const PastRoundSchema = v.pipe(
  v.object({
    id: v.number(),
    roundId: v.number(),
    track: v.string(),
    status: v.literal('settled'),
    openedAt: v.number(),
    settledAt: v.number(),
    participants: v.array(participant),
    commitment: v.string(),
    result: v.nullable(result),
    voided: v.optional(v.object({ at: v.number(), seed: v.string() })),
  }),
  v.metadata({ ref: 'PastRound', description: 'The result is null where the round was voided.' }),
)

export const RoundStatsSchema = v.pipe(
  v.object({
    totalReceipts: v.number(),
    totalMise: v.number(),
    participantMise: v.record(v.string(), v.number()),
    /** Only of rounds that are live. */
    largestStakes: v.optional(v.record(v.string(), v.number())),
  }),
  v.metadata({
    ref: 'RoundStats',
    description:
      'For staff. Amounts in the smallest unit, by number; the largest stakes that the live round takes now.',
  }),
)

export const PaginationSchema = v.pipe(
  v.object({
    currentPage: v.number(),
    totalPages: v.number(),
    totalItems: v.number(),
    limit: v.number(),
    displayedRange: v.string(),
  }),
  v.metadata({ ref: 'Pagination' }),
)
