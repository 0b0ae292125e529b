// The judge: hears every answer as the server gives it, and compares it with what is on disk and with the other answers.

import type { ReceiptFilter } from '../src/db/racing/receipts.queries.ts'
import { isRefusal } from '../src/domain/racing/refusals.ts'
import { matches, totalsOf } from '../src/http/racing/my-bets.list.ts'
import type { History } from './history.ts'
import { type Tally, tallyOf } from './oracle.ts'
import type { PostgresTables } from './postgres.tables.ts'
import type { Outcome, Request } from './request.ts'
import type { Secrets } from './secrets.ts'
import type { ListAnswer } from './server.ts'
import type { Verdict } from './verdict.ts'

/** What was acknowledged about a receipt. */
export type Account = {
  readonly request: Request
  readonly station: string
  readonly roundId: number
  isCancelled: boolean
  /** Somebody asked for it to be cancelled. */
  mayBeCancelled: boolean
  /** Who paid it successfully: by idempotency key, or the one request. */
  readonly payers: Set<string>
  /** Copies that were printed. */
  readonly copies: Set<number>
}

/** A list of all that match a filter. */
export type HeardList = {
  readonly station: string
  readonly filter: ReceiptFilter
  readonly list: ListAnswer
  /** Receipts that had been acknowledged and must be there, and those whose cancelling had been, when it was asked for. */
  readonly before: ReadonlySet<number>
  readonly cancelled: ReadonlySet<number>
  /** Whether no other server changes what it is about. */
  readonly hasOneOwner: boolean
}

type Asked = { readonly request: Request; sent: number; acknowledged: number; refused: number }

export class Judge {
  /** Receipts acknowledged, by id. */
  readonly accounts = new Map<number, Account>()
  /** Every request that was ever sent. */
  readonly asked = new Map<number, Asked>()
  /** The first answer of each key, by user and key, for each digest that was answered. */
  readonly #kept = new Map<string, { digest: string; answer: string }>()
  readonly #verdict: Verdict
  readonly #history: History
  readonly #tables: PostgresTables
  readonly #secrets: Secrets

  constructor(verdict: Verdict, history: History, tables: PostgresTables, secrets: Secrets) {
    this.#verdict = verdict
    this.#history = history
    this.#tables = tables
    this.#secrets = secrets
  }

  sends(request: Request): void {
    const asked = this.asked.get(request.id) ?? { request, sent: 0, acknowledged: 0, refused: 0 }
    asked.sent++
    this.asked.set(request.id, asked)
    if (request.type !== 'CancelReceipt') return
    const account = this.accounts.get(request.receipt)
    if (account) account.mayBeCancelled = true
  }

  isSettled(receiptId: number): boolean {
    return this.#history.isSettled(this.#history.roundOfReceipt.get(receiptId) ?? -1)
  }

  /** The server answers this at present. */
  hear(station: string, request: Request, outcome: Outcome, wasSettled: boolean): void {
    const asked = this.asked.get(request.id)!
    this.#secrets.inspect(outcome, `the answer to request ${request.id}`)
    this.#hearKey(request, outcome)
    if (isRefusal(outcome)) {
      asked.refused++
      this.#verdict.see('refused')
      return this.#hearRefusal(station, request, outcome, wasSettled && (!request.once || asked.sent === 1))
    }
    asked.acknowledged++
    this.#verdict.see(`${request.type} acknowledged`)
    if (request.type === 'SellReceipt') this.#hearSale(station, request, outcome)
    else if (request.type === 'CancelReceipt') this.#hearCancelled(request.receipt)
    else if (request.type === 'PrintReceipt') this.#hearPrinted(request.receipt, outcome.prints)
    else this.#hearPaid(request, request.receipt, outcome)
  }

  /** All facts about a round, of the journal and of the archive. */
  tally(roundId: number): Tally {
    const written = this.#history.facts(roundId)
    const stored = this.#tables.facts.get(roundId)
    const later = [...(stored ?? [])].filter(([number]) => number > written.length).map(([, fact]) => fact)
    return tallyOf([...written, ...later])
  }

  #hearKey({ id, type, once }: Request, outcome: Outcome): void {
    if (!once) return
    const code = isRefusal(outcome) ? outcome.refused : undefined
    const name = `${once.user}/${once.key}`
    const kept = this.#kept.get(name)
    if (code === 'IDEMPOTENCY_KEY_REUSED') return
    const answer = JSON.stringify(
      isRefusal(outcome)
        ? outcome
        : [outcome.id, outcome.status, outcome.prize, outcome.total, outcome.closed],
    )
    if (!kept) {
      this.#kept.set(name, { digest: once.digest, answer })
      return
    }
    this.#verdict.see('keys used again')
    this.#verdict.check('S12', kept.digest === once.digest && kept.answer === answer, () => [
      `request ${id} (${type}) under key ${name} was answered ${answer}, and before ${kept.answer}`,
      id,
      name,
    ])
  }

  #hearSale(
    station: string,
    request: Request & { type: 'SellReceipt' },
    outcome: Exclude<Outcome, { refused: unknown }>,
  ): void {
    const { id, roundId, bets } = outcome
    const written = this.#history
      .facts(roundId)
      .filter((fact) => fact.type === 'ReceiptSold' && fact.id === id)
    this.#verdict.check('S1', written.length === 1, () => [
      `receipt ${id} was acknowledged, and is ${written.length} times on disk`,
      id,
      roundId,
    ])
    const asked = JSON.stringify(request.bets.map(({ number, stake }) => [number, stake]))
    const sold = JSON.stringify(bets.map(({ number, stake }) => [number, stake]))
    this.#verdict.check('S1', asked === sold && outcome.by === request.by.id, () => [
      `receipt ${id} was asked for with ${asked} and has ${sold}`,
      id,
      roundId,
    ])
    const before = this.accounts.get(id)
    this.#verdict.check('S1', !before || before.request.id === request.id, () => [
      `receipt ${id} was acknowledged to two requests`,
      id,
      roundId,
    ])
    if (before) return
    const account = {
      request,
      station,
      roundId,
      isCancelled: false,
      mayBeCancelled: false,
      payers: new Set<string>(),
      copies: new Set<number>(),
    }
    this.accounts.set(id, account)
  }

  #hearCancelled(id: number): void {
    this.#verdict.check('S1', this.#history.has('ReceiptCancelled', id), () => [
      `the cancelling of ${id} was acknowledged, and is not on disk`,
      id,
    ])
    const account = this.accounts.get(id)
    if (account) account.isCancelled = true
  }

  #hearPrinted(id: number, copy: number): void {
    const account = this.accounts.get(id)
    const roundId = this.#history.roundOfReceipt.get(id)
    const isWritten = roundId !== undefined && (this.tally(roundId).receipts.get(id)?.prints ?? 0) >= copy
    this.#verdict.check('S1', isWritten, () => [`copy ${copy} of ${id} was printed, and no fact says so`, id])
    this.#verdict.check('S12', !account?.copies.has(copy), () => [
      `copy ${copy} of ${id} was printed twice`,
      id,
    ])
    account?.copies.add(copy)
  }

  #hearPaid(request: Request, id: number, outcome: Exclude<Outcome, { refused: unknown }>): void {
    const roundId = this.#history.roundOfReceipt.get(id)
    const told = roundId === undefined ? undefined : this.tally(roundId).receipts.get(id)
    const isRefund = told?.status === 'refunded'
    if (isRefund) this.#verdict.see('stakes given back')
    this.#verdict.check('S1', told?.status === (isRefund ? outcome.status : 'paid'), () => [
      `the payment of ${id} was acknowledged, and the facts say ${told?.status}`,
      id,
    ])
    this.#verdict.check(
      'S5',
      outcome.prize > 0 === !isRefund && outcome.prize === told?.prize && told.payments === 1,
      () => [
        `${id} was paid ${outcome.prize}, ${told?.payments} times; it won ${told?.prize}`,
        id,
        roundId ?? -1,
      ],
    )
    const account = this.accounts.get(id)
    this.#verdict.check('S3', !account?.isCancelled, () => [`${id} was cancelled, and is paid`, id])
    account?.payers.add(request.once ? `${request.once.user}/${request.once.key}` : `request ${request.id}`)
    this.#verdict.check('S5', !account || account.payers.size === 1, () => [
      `${id} was paid to ${[...account!.payers].join(' and ')}`,
      id,
      roundId ?? -1,
    ])
  }

  #hearRefusal(
    station: string,
    request: Request,
    { refused }: Extract<Outcome, { refused: unknown }>,
    mustKnowResult: boolean,
  ): void {
    if (request.type === 'SellReceipt') return
    const id = request.receipt
    const account = this.accounts.get(id)
    const roundId = this.#history.roundOfReceipt.get(id)
    const wrong = (isWrong: boolean, invariant: 'S1' | 'S3' | 'S5'): void =>
      this.#verdict.check(invariant, !isWrong, () => [
        `request ${request.id} (${request.type}) about ${id} was refused: ${refused}`,
        id,
        roundId ?? -1,
      ])
    if (refused === 'RECEIPT_UNKNOWN') wrong(account?.station === station, 'S1')
    if (roundId === undefined) return
    const told = this.tally(roundId).receipts.get(id)!
    if (refused === 'RECEIPT_CANCELLED') wrong(told.status !== 'cancelled', 'S3')
    if (refused === 'RECEIPT_ALREADY_PAID') wrong(told.status !== 'paid', 'S5')
    if (refused === 'RECEIPT_ALREADY_REFUNDED') wrong(told.status !== 'refunded', 'S5')
    if (refused === 'RECEIPT_NOT_A_WINNER') wrong(told.status !== 'lost', 'S5')
    if (refused === 'RECEIPT_NOT_SETTLED') wrong(mustKnowResult, 'S5')
  }

  hearList({ station, filter, list, before, cancelled, hasOneOwner }: HeardList): void {
    const ids = list.receipts.map(({ id }) => id)
    this.#secrets.inspect(list, 'a list')
    this.#verdict.see(`lists ${list.history}`)
    const check = (holds: boolean, invariant: 'S3' | 'S15', what: string, id: number): void =>
      this.#verdict.check(invariant, holds, () => [
        `a list of ${station} ${JSON.stringify(filter)}: ${what}`,
        id,
      ])
    check(new Set(ids).size === ids.length, 'S15', 'a receipt stands twice', -1)
    for (const receipt of list.receipts) {
      check(matches(receipt, filter), 'S15', `${receipt.id} does not belong there`, receipt.id)
      check(
        filter.status !== undefined || !cancelled.has(receipt.id),
        'S3',
        `${receipt.id} was cancelled`,
        receipt.id,
      )
    }
    const counted = JSON.stringify(sorted(totalsOf(list.receipts.map((receipt) => ({ receipt })))))
    const told = JSON.stringify(sorted(list.totals))
    // The sums are another question: of those who are paid in between, one of the two knows.
    const isSteady = hasOneOwner && !['won', 'paid', 'refundable', 'refunded'].includes(filter.status ?? '')
    if (isSteady) check(counted === told, 'S15', `sums ${told} of receipts that sum up to ${counted}`, -1)
    if (list.history !== 'complete') return
    const shown = new Set(ids)
    for (const id of before) check(shown.has(id), 'S15', `${id} is missing`, id)
  }
}

/** Sums in one order. Won and paid are one here, and what is refunded with what may be: somebody may be paid between the question for the list and that for its sums. */
const sorted = (totals: ListAnswer['totals']): unknown => {
  const sums = new Map<string, number[]>()
  for (const [status, { receipts, stakes, prizes }] of Object.entries(totals)) {
    const name = ({ paid: 'won', refunded: 'refundable' } as Record<string, string>)[status] ?? status
    const [count = 0, staked = 0, won = 0] = sums.get(name) ?? []
    if (count + receipts > 0) sums.set(name, [count + receipts, staked + stakes, won + prizes])
  }
  return [...sums].sort(([a], [b]) => (a < b ? -1 : 1))
}
