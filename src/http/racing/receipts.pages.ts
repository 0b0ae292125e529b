import type { Context } from 'hono'
import { html, raw } from 'hono/html'
import { renderSVG } from 'uqr'
import type { TimeZone } from '../../domain/day.ts'
import { type Amount, toPublic } from '../../domain/money.ts'
import { printedNumber } from '../../domain/racing/receipt-number.ts'
import { amountDue, type ReceiptView } from '../../domain/racing/receipt-view.ts'
import { type Language, languageOf, sendPage } from '../page.ts'

// The two slips of paper of a shop, 55 mm wide: the receipt that a customer keeps, and the slip of a paid prize.

export type ReceiptPagesOptions = {
  readonly shop: string
  readonly station: string
  readonly currency: string
  readonly timeZone: TimeZone
  readonly isDemonstration: boolean
  /** Where customers reach the pages; without it, where the print was asked for. */
  readonly publicUrl: string | undefined
  /** What a cashier is called. */
  readonly nameOf: (userId: number) => string | undefined
  readonly now: () => number
}
export type ReceiptPages = ReturnType<typeof receiptPages>

const WORDS = {
  fr: {
    receipt: 'Reçu',
    payout: 'Décaissement',
    refund: 'Remboursement',
    voided: 'Course annulée : mise remboursée',
    copy: 'DUPLICATA',
    copyNumber: 'copie',
    station: 'Station',
    cashier: 'Caisse',
    paidOutBy: 'Décaissé par',
    round: 'Course',
    track: 'Piste',
    stake: 'Mise',
    odds: 'Cote',
    prize: 'Gain',
    total: 'Total misé',
    possible: 'Gain possible',
    due: 'À payer',
    sold: 'Vendu le',
    printed: 'Imprimé le',
    verify: 'Vérifiez la course après l’arrivée : scannez ce code avec un téléphone.',
    commitment: 'Engagement du tirage (sha256) :',
    keep: 'Gardez ce reçu : sans lui, rien n’est payé.',
    signature: 'Signature du client',
  },
  en: {
    receipt: 'Receipt',
    payout: 'Payout',
    refund: 'Refund',
    voided: 'Race voided: stake given back',
    copy: 'REPRINT',
    copyNumber: 'copy',
    station: 'Station',
    cashier: 'Cashier',
    paidOutBy: 'Paid out by',
    round: 'Race',
    track: 'Track',
    stake: 'Stake',
    odds: 'Odds',
    prize: 'Prize',
    total: 'Total stake',
    possible: 'Possible prize',
    due: 'To be paid',
    sold: 'Sold',
    printed: 'Printed',
    verify: 'Verify the race after the finish: scan this code with a telephone.',
    commitment: 'Commitment of the draw (sha256):',
    keep: 'Keep this receipt: nothing is paid without it.',
    signature: 'Customer’s signature',
  },
} as const

/** Of a longer one the code could not be read on paper; a request may name any host it likes. */
const LONGEST_LINK = 400

const STYLE = `
@page { margin: 0 }
* { box-sizing: border-box }
body { width: 55mm; margin: 0; padding: 2mm; font: 9pt/1.3 ui-sans-serif, system-ui, sans-serif; color: #000; background: #fff }
h1 { margin: 0; font-size: 12pt; text-align: center }
.copy { margin: 1mm 0; padding: .5mm; border: .5mm solid #000; font-weight: 700; text-align: center }
.number { margin: 1mm 0; font: 700 17pt/1.1 ui-monospace, monospace; text-align: center; letter-spacing: .3mm }
.code { width: 26mm; margin: 3mm auto }
.code svg { display: block; width: 100%; height: auto }
dl { margin: 1mm 0 } dl div { display: flex; justify-content: space-between; gap: 2mm }
dt { color: #333 } dd { margin: 0; text-align: right; overflow-wrap: anywhere }
table { width: 100%; border-collapse: collapse; border-top: .3mm dashed #000; border-bottom: .3mm dashed #000 }
td, th { padding: 0 0 .4mm; text-align: right; font-variant-numeric: tabular-nums } td:first-child, th:first-child { text-align: left }
.name td { padding: .4mm 0 0; overflow-wrap: anywhere }
.sum { font-size: 10.5pt; font-weight: 700 } .sum dd { white-space: nowrap }
.kind { text-align: center }
.small { font-size: 6.5pt; overflow-wrap: anywhere }
.proof { display: flex; align-items: center; gap: 1mm; margin: 1mm 0 } .proof p { margin: 0 0 .5mm }
.link { flex: none; width: 25mm; margin-left: -1mm } .link svg { display: block; width: 100%; height: auto }
.sign { margin-top: 9mm; border-top: .3mm solid #000 }
`

// Paper from a roll is as long as what stands on it, which only the page itself knows; CSS has no word for that.
const SCRIPT = `
const millimetres = Math.ceil((document.body.getBoundingClientRect().height * 25.4) / 96) + 1
document.styleSheets[0].insertRule('@page { size: 55mm ' + Math.max(60, millimetres) + 'mm }')
window.print()
`

export const receiptPages = ({
  shop,
  station,
  currency,
  timeZone,
  isDemonstration,
  publicUrl,
  nameOf,
  now,
}: ReceiptPagesOptions) => {
  const money = (language: Language) => {
    const format = new Intl.NumberFormat(language, { style: 'currency', currency })
    return (amount: number): string => format.format(toPublic(amount as Amount))
  }
  /** As a column of figures, whose sum says the currency. */
  const plainMoney = (language: Language) => {
    const { maximumFractionDigits: digits } = new Intl.NumberFormat(language, {
      style: 'currency',
      currency,
    }).resolvedOptions()
    const format = decimals(language, digits ?? 2)
    return (amount: number): string => format.format(toPublic(amount as Amount))
  }
  const time = (language: Language, at: number): string =>
    new Intl.DateTimeFormat(language, { dateStyle: 'short', timeStyle: 'medium', timeZone }).format(at)
  const nameOfUser = (id: number): string => nameOf(id) ?? `#${id}`

  /** Brings what was committed to, so that a server that names another commitment after the race is found out. */
  const linkToProof = (c: Context, { roundId, commitment }: ReceiptView) => {
    const link = `${publicUrl ?? new URL(c.req.url).origin}/verify?round=${roundId}&commitment=${commitment}`
    return link.length > LONGEST_LINK
      ? ''
      : html`<div class="link">${raw(renderSVG(link, { border: 2 }))}</div>`
  }

  const head = (receipt: ReceiptView, title: string, copy: string | undefined) => {
    const number = printedNumber(station, receipt.id)
    return html`<h1>${shop}</h1>
<div class="kind">${title}</div>
${copy === undefined ? '' : html`<div class="copy">${copy}</div>`}
<div class="number">${number}</div>
<div class="code">${raw(renderSVG(number, { border: 1 }))}</div>`
  }

  return {
    languageOf,

    /** The receipt for the customer; every print after the first says that it is one. */
    receipt: (c: Context, receipt: ReceiptView, language: Language) => {
      const words = WORDS[language]
      const amount = money(language)
      const plain = plainMoney(language)
      const odds = decimals(language, 2)
      // What was possible when it was sold, also on a reprint after the race.
      const possible = Math.max(...receipt.bets.map((bet) => bet.prize))
      const copy = receipt.prints > 1 ? `${words.copy} · ${words.copyNumber} ${receipt.prints}` : undefined
      const body = html`${head(receipt, words.receipt, copy)}
<dl>
<div><dt>${words.station}</dt><dd>${station}</dd></div>
<div><dt>${words.cashier}</dt><dd>${nameOfUser(receipt.by)}</dd></div>
<div><dt>${words.track}</dt><dd>${receipt.track}</dd></div>
<div><dt>${words.round}</dt><dd>${receipt.roundId}</dd></div>
<div><dt>${words.sold}</dt><dd>${time(language, receipt.at)}</dd></div>
</dl>
<table>
<tr><th>${words.stake}</th><th>${words.odds}</th><th>${words.prize}</th></tr>
${receipt.bets.map(
  (bet) =>
    html`<tr class="name"><td colspan="3">${bet.number} ${bet.name}</td></tr>
<tr><td>${plain(bet.stake)}</td><td>${odds.format(bet.coeff / 100)}</td><td>${plain(bet.prize)}</td></tr>`,
)}
</table>
<dl class="sum"><div><dt>${words.total}</dt><dd>${amount(receipt.total)}</dd></div><div><dt>${words.possible}</dt><dd>${amount(possible)}</dd></div></dl>
<div>${words.keep}</div>
<div class="proof">${linkToProof(c, receipt)}
<div class="small"><p>${words.verify}</p>${words.commitment} ${receipt.commitment}</div></div>
<div class="small">${words.printed} ${time(language, now())}</div>`
      const title = `${words.receipt} ${printedNumber(station, receipt.id)}`
      return sendPage(c, {
        language,
        title,
        style: STYLE,
        body,
        script: SCRIPT,
        isFramed: true,
        isDemonstration,
      })
    },

    /** The slip that the cashier keeps of a prize, or of the stake of a voided round. */
    payout: (c: Context, receipt: ReceiptView, paidOutBy: number, language: Language) => {
      const words = WORDS[language]
      const amount = money(language)
      const isRefund = receipt.status === 'refundable'
      const kind = isRefund ? words.refund : words.payout
      const body = html`${head(receipt, kind, undefined)}
${isRefund ? html`<div class="kind">${words.voided}</div>` : ''}
<dl>
<div><dt>${words.station}</dt><dd>${station}</dd></div>
<div><dt>${words.paidOutBy}</dt><dd>${nameOfUser(paidOutBy)}</dd></div>
<div><dt>${words.track}</dt><dd>${receipt.track}</dd></div>
<div><dt>${words.round}</dt><dd>${receipt.roundId}</dd></div>
<div><dt>${words.sold}</dt><dd>${time(language, receipt.at)}</dd></div>
<div><dt>${words.total}</dt><dd>${amount(receipt.total)}</dd></div>
</dl>
<dl class="sum"><div><dt>${words.due}</dt><dd>${amount(amountDue(receipt))}</dd></div></dl>
<div class="sign small">${words.signature}</div>
<div class="small">${words.printed} ${time(language, now())}</div>`
      const title = `${kind} ${printedNumber(station, receipt.id)}`
      return sendPage(c, {
        language,
        title,
        style: STYLE,
        body,
        script: SCRIPT,
        isFramed: true,
        isDemonstration,
      })
    },
  }
}

const decimals = (language: Language, digits: number) =>
  new Intl.NumberFormat(language, { minimumFractionDigits: digits, maximumFractionDigits: digits })
