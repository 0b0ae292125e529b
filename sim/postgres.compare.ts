import type { PostgresTables } from './postgres.tables.ts'

/** Compares a retired round's rows with its facts, in the words of the product's own comparison. */
export const discrepancies = (tables: PostgresTables, roundId: number): string[] => {
  const facts = [...(tables.facts.get(roundId)?.values() ?? [])]
  const rows = new Map([...tables.receipts].filter(([, row]) => row.roundId === roundId))
  const winner = facts.find((fact) => fact.type === 'RoundSettled')?.order[0]
  const isVoid = facts.some((fact) => fact.type === 'RoundVoided')
  const closedBy = (type: 'ReceiptPaid' | 'ReceiptCancelled' | 'ReceiptRefunded') =>
    facts.flatMap((fact) => (fact.type === type ? [fact.id] : []))
  const paid = closedBy('ReceiptPaid')
  const refunded = closedBy('ReceiptRefunded')
  const cancelled = new Set(closedBy('ReceiptCancelled'))
  const counts = new Map<string, number>()
  const count = (what: string, isSo: boolean | number): void => {
    counts.set(what, (counts.get(what) ?? 0) + Number(isSo))
  }
  const sold = new Set<number>()
  let held = 0
  let stakes = 0
  let prizes = 0
  for (const fact of facts) {
    if (fact.type !== 'ReceiptSold') continue
    sold.add(fact.id)
    const { bets } = fact.sale
    const total = bets.reduce((sum, bet) => sum + bet.stake, 0)
    const prize = bets.find((bet) => bet.number === winner)?.prize ?? 0
    const open = isVoid ? 'refundable' : prize > 0 ? 'won' : 'lost'
    const closed = paid.includes(fact.id) ? 'paid' : refunded.includes(fact.id) ? 'refunded' : open
    const status = cancelled.has(fact.id) ? 'cancelled' : closed
    if (status !== 'cancelled') {
      held++
      stakes += total
      prizes += prize
    }
    const row = rows.get(fact.id)
    count('receipts missing', !row)
    if (!row) continue
    count('receipts of another seller', row.by !== fact.sale.by)
    count('receipts with another total', row.total !== total)
    count('receipts with another status', row.status !== status)
    count('receipts with another prize', row.status !== 'cancelled' && row.prize !== prize)
    count('bets that differ', JSON.stringify(row.bets) !== JSON.stringify(bets))
  }
  const round = tables.rounds.get(roundId)
  count('receipts that nobody sold', [...rows.keys()].filter((id) => !sold.has(id)).length)
  const handedOut = [...paid, ...refunded]
  count('payments twice', handedOut.length - new Set(handedOut).size)
  // How many there should be is known once the round was handed over.
  const factCount = round?.retiredAt === undefined ? facts.length : round.factCount
  count('facts missing', Math.max(0, factCount - facts.length))
  count('facts too many', Math.max(0, facts.length - factCount))
  count(
    'sums of the round that differ',
    round !== undefined &&
      (round.receiptCount !== held || round.stakes !== stakes || round.prizes !== prizes),
  )
  return [...counts].filter(([, number]) => number > 0).map(([what, number]) => `${number} ${what}`)
}
