import { type Amount, toAmount } from '../money.ts'
import { NumberRows } from '../number-rows.ts'
import { scattered, WideMap } from '../wide-map.ts'
import { type Bet, potentialPrize, type Sale } from './facts.ts'

// The receipts of a live round, of which there may be a million.
//   RB1. They are rows of numbers beside the heap (ADR 25). As objects, 300,000 of them had V8 mark 130 MB for a third of a second at
//        a time, and whoever came to the counter waited.
//   RB2. A `Receipt` is a window on its row, made when it is asked for: whoever changes it changes the row.

/** A receipt of a voided round is `refundable`, and `refunded` once its stake was given back. */
export type ReceiptStatus = 'pending' | 'won' | 'lost' | 'paid' | 'cancelled' | 'refundable' | 'refunded'

const STATUSES: readonly ReceiptStatus[] = [
  'pending',
  'won',
  'lost',
  'paid',
  'cancelled',
  'refundable',
  'refunded',
]

const codeOf = (status: ReceiptStatus): number => STATUSES.indexOf(status)
const [WON, LOST, CANCELLED] = [codeOf('won'), codeOf('lost'), codeOf('cancelled')] as const

/** The columns of a receipt; its bets are the rows from `FIRST_BET` on. */
const [ID, BY, AT, STATUS, PRIZE, PRINTS, FIRST_BET, BETS] = [0, 1, 2, 3, 4, 5, 6, 7] as const
const WIDTH = 8
const [NUMBER, STAKE, BET_PRIZE] = [0, 1, 2] as const
const BET_WIDTH = 3

/** Who paid, refunded or cancelled a receipt, and when. */
type Closed = { readonly by: number; readonly at: number }

export class Receipts {
  readonly rows = new NumberRows(WIDTH)
  readonly bets = new NumberRows(BET_WIDTH)
  /** Of those that somebody closed, by row. */
  readonly closed = new WideMap<Closed>(scattered)
  readonly rowOf = new WideMap<number>(scattered)

  get size(): number {
    return this.rowOf.size
  }

  has(id: number): boolean {
    return this.rowOf.has(id)
  }

  get(id: number): Receipt | undefined {
    const row = this.rowOf.get(id)
    return row === undefined ? undefined : new Receipt(this, row)
  }

  /** Of a sale that nobody has printed, paid or cancelled. */
  add(id: number, sale: Sale): Receipt {
    const { by, at, bets } = sale
    const prize = toAmount(potentialPrize(sale))
    const { rows } = this
    const row = rows.add()
    rows.set(row, ID, id)
    rows.set(row, BY, by)
    rows.set(row, AT, at)
    rows.set(row, FIRST_BET, this.bets.length)
    rows.set(row, BETS, bets.length)
    rows.set(row, PRIZE, prize)
    for (const bet of bets) {
      const place = this.bets.add()
      this.bets.set(place, NUMBER, bet.number)
      this.bets.set(place, STAKE, bet.stake)
      this.bets.set(place, BET_PRIZE, bet.prize)
    }
    this.rowOf.set(id, row)
    return new Receipt(this, row)
  }

  /** In the order of their sale. */
  *values(): Generator<Receipt> {
    for (let row = 0; row < this.rows.length; row++) yield new Receipt(this, row)
  }

  /**
   * The race is over: those that are not cancelled win what they have on the winner, or nothing. In one plain loop, for it
   * is run once and cold: by windows it took 50 ms for 100,000, in which nobody was sold anything.
   * @param onWin for each that wins
   */
  settle(winner: number, onWin: (by: number, prize: Amount) => void): void {
    const { rows, bets } = this
    for (let row = 0; row < rows.length; row++) {
      if (rows.get(row, STATUS) === CANCELLED) continue
      const first = rows.get(row, FIRST_BET)
      const end = first + rows.get(row, BETS)
      let prize = 0
      for (let bet = first; bet < end; bet++)
        if (bets.get(bet, NUMBER) === winner) prize += bets.get(bet, BET_PRIZE)
      rows.set(row, PRIZE, toAmount(prize))
      rows.set(row, STATUS, prize > 0 ? WON : LOST)
      if (prize > 0) onWin(rows.get(row, BY), prize as Amount)
    }
  }

  *keys(): Generator<number> {
    for (let row = 0; row < this.rows.length; row++) yield this.rows.get(row, ID)
  }
}

export class Receipt {
  private readonly of: Receipts
  private readonly row: number

  constructor(of: Receipts, row: number) {
    this.of = of
    this.row = row
  }

  get id(): number {
    return this.of.rows.get(this.row, ID)
  }

  get by(): number {
    return this.of.rows.get(this.row, BY)
  }

  get at(): number {
    return this.of.rows.get(this.row, AT)
  }

  get status(): ReceiptStatus {
    return STATUSES[this.of.rows.get(this.row, STATUS)]!
  }

  set status(status: ReceiptStatus) {
    this.of.rows.set(this.row, STATUS, codeOf(status))
  }

  /** What it can win, and once the race is over what it did win. */
  get prize(): Amount {
    return this.of.rows.get(this.row, PRIZE) as Amount
  }

  set prize(prize: Amount) {
    this.of.rows.set(this.row, PRIZE, prize)
  }

  get prints(): number {
    return this.of.rows.get(this.row, PRINTS)
  }

  set prints(prints: number) {
    this.of.rows.set(this.row, PRINTS, prints)
  }

  get closed(): Closed | undefined {
    return this.of.closed.get(this.row)
  }

  set closed(closed: Closed) {
    this.of.closed.set(this.row, closed)
  }

  get bets(): Bet[] {
    const { bets } = this.of
    return Array.from({ length: this.#betCount }, (_, i) => {
      const bet = this.#firstBet + i
      return { number: bets.get(bet, NUMBER), stake: bets.get(bet, STAKE), prize: bets.get(bet, BET_PRIZE) }
    })
  }

  get sale(): Sale {
    return { by: this.by, at: this.at, bets: this.bets }
  }

  get total(): Amount {
    const { bets } = this.of
    const first = this.#firstBet
    const end = first + this.#betCount
    let total = 0
    for (let bet = first; bet < end; bet++) total += bets.get(bet, STAKE)
    return toAmount(total)
  }

  get #firstBet(): number {
    return this.of.rows.get(this.row, FIRST_BET)
  }

  get #betCount(): number {
    return this.of.rows.get(this.row, BETS)
  }
}
