import fc from 'fast-check'
import { errors } from '../src/http/answer.ts'
import type { Role } from './request.ts'
import { oddText, oddValue } from './values.ts'

// Sales by socket, good ones and others, and what they may be answered.

const goodSale = fc.record({
  bets: fc.uniqueArray(
    fc.record({
      participant: fc.record({ number: fc.integer({ min: 1, max: 6 }) }),
      value: fc.constant(1_000),
    }),
    { minLength: 1, maxLength: 6, selector: ({ participant }) => participant.number },
  ),
})
const oddBet = fc.record(
  {
    participant: fc.oneof(fc.record({ number: oddValue, name: oddText, coeff: oddValue }), oddValue),
    value: oddValue,
  },
  { requiredKeys: [] },
)
const sale = fc.oneof(
  { weight: 10, arbitrary: goodSale },
  { weight: 1, arbitrary: fc.record({ user_id: oddValue, round_id: oddValue, bets: fc.array(oddBet) }) },
  { weight: 1, arbitrary: oddValue },
)
export const saleMessage = fc.record(
  {
    type: fc.constant('sell'),
    id: fc.oneof(fc.constantFrom('a', 'b', '1.2:x_-'), fc.uuid(), oddValue),
    sale,
    key: fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom('k1', 'k2', 'k3') },
      { weight: 5, arbitrary: fc.uuid() },
      { weight: 1, arbitrary: oddValue },
    ),
    track: fc.oneof({ weight: 15, arbitrary: fc.constant('main') }, oddValue),
  },
  { requiredKeys: ['type', 'id', 'sale'] },
)

const COMMAND_ID = /^[\w.:-]{1,64}$/
/** A socket of one of them is nobody else's for as long as it lasts. */
const STAFF: ReadonlySet<Role> = new Set(['admin', 'cashier', 'other cashier'])

type Answer = {
  readonly event: string
  readonly id: string
  readonly success: boolean
  readonly data?: { readonly id: number }
  readonly error?: { readonly code: string }
}

/** What was asked and answered, over all sockets: a key of a user is one receipt. */
export class SaleBooks {
  sold = 0
  readonly #byKey = new Map<string, number>()

  open(role: Role) {
    /** How often each id was sent, and under which keys, if the same one each time. */
    const asked = new Map<string, { open: number; key: unknown }>()
    return {
      say: (text: string): void => {
        const said = objectOf(text)
        if (said?.type !== 'sell' || typeof said.id !== 'string' || !COMMAND_ID.test(said.id)) return
        const before = asked.get(said.id)
        const key = before && before.key !== said.key ? undefined : said.key
        asked.set(said.id, { open: (before?.open ?? 0) + 1, key })
      },
      hear: (text: string): string[] => {
        const answer = JSON.parse(text) as Answer
        if (answer.event !== 'answer') return []
        const question = asked.get(answer.id)
        if (!question || question.open-- <= 0) return ['an answer to what was not asked']
        if (!answer.success) {
          const { code } = answer.error!
          return !(code in errors) || code === 'INTERNAL' ? [`a sale was answered with ${code}`] : []
        }
        this.sold++
        if (!STAFF.has(role) || typeof question.key !== 'string') return []
        const name = `${role} ${question.key}`
        const first = this.#byKey.get(name) ?? answer.data!.id
        this.#byKey.set(name, first)
        return first === answer.data!.id ? [] : ['two receipts for one key']
      },
    }
  }
}

const objectOf = (text: string): { type?: unknown; id?: unknown; key?: unknown } | undefined => {
  try {
    return JSON.parse(text) ?? undefined
  } catch {
    return undefined
  }
}
