import type { ReceiptView } from '../../domain/racing/receipt-view.ts'

const MOST_NAMES = 1_000

/**
 * What the seller is answered, as JSON text: `{ id, roundId, total_amount, prize, created_at, bets }`, see `Sold` of the docs. Put
 * together from pieces, because each sale is answered once: objects that are made only to be written down took a tenth of
 * the time of a sale by socket.
 */
export const soldTexts = (): ((sold: ReceiptView) => string) => {
  const quotedNames = new Map<string, string>()
  let lastAt = Number.NaN
  let lastIso = ''

  const quoted = (name: string): string => {
    let text = quotedNames.get(name)
    if (text === undefined) {
      text = JSON.stringify(name)
      if (quotedNames.size < MOST_NAMES) quotedNames.set(name, text)
    }
    return text
  }
  /** Many are sold in one millisecond. */
  const iso = (at: number): string => {
    if (at !== lastAt) {
      lastAt = at
      lastIso = new Date(at).toISOString()
    }
    return lastIso
  }
  return ({ id, roundId, total, prize, at, bets }) => {
    let text = ''
    for (const bet of bets) {
      if (text !== '') text += ','
      text += `{"number":${bet.number},"value":${bet.stake},"participant":{"number":${bet.number},"name":${quoted(bet.name)},"coeff":${bet.coeff / 100}},"prize":${bet.prize}}`
    }
    return `{"id":${id},"roundId":${roundId},"total_amount":${total},"prize":${prize},"created_at":"${iso(at)}","bets":[${text}]}`
  }
}
