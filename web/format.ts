import { printedNumber } from '../src/domain/racing/receipt-number.ts'
import { language } from './language.ts'
import { shop } from './shop.ts'

// Money and dates, in the language of the moment, in the currency and time zone of the shop. Amounts are whole numbers
// of the smallest unit, as the server counts; a hundred of them are one of the currency.

const UNIT = 100

/** `1 250,00 HTG` */
export const money = (amount: number): string =>
  new Intl.NumberFormat(language.value, {
    style: 'currency',
    currency: shop.value?.currency ?? 'HTG',
  }).format(amount / UNIT)

/** `1 250,00`, for columns and fields. */
export const plainMoney = (amount: number): string =>
  new Intl.NumberFormat(language.value, { minimumFractionDigits: 2, maximumFractionDigits: 2 }).format(
    amount / UNIT,
  )

/** Routes of the public unit answer 12.5 for what is 1250 here. */
export const fromPublic = (amount: number): number => Math.round(amount * UNIT)

/** What was typed, `12,50` or `12.5` or `1 000`, as 1250; `undefined` where it is no amount. */
export const amountTyped = (text: string): number | undefined => {
  const plain = text.replace(/[\s\u00a0\u202f]/g, '').replace(',', '.')
  if (!/^(\d{1,12}(\.\d{0,2})?|\.\d{1,2})$/.test(plain)) return undefined
  return Math.round(Number(plain) * UNIT)
}

export const odds = (coeff: number): string =>
  new Intl.NumberFormat(language.value, { minimumFractionDigits: 2, maximumFractionDigits: 2 }).format(coeff)

const CLOCK = { hour: '2-digit', minute: '2-digit', second: '2-digit' } as const
const DATE = { day: '2-digit', month: '2-digit', year: 'numeric' } as const

/** `14:03:09` in the shop's time zone. `at` in milliseconds since 1970, or an ISO date. */
export const time = (at: number | string): string => inShop(CLOCK).format(new Date(at))

/** `21/11/2026 14:03:09` */
export const dateTime = (at: number | string): string => inShop({ ...DATE, ...CLOCK }).format(new Date(at))

/** The number of a receipt as it is printed, with the station's zeros. */
export const receiptNumber = (id: number): string => printedNumber(shop.value?.station ?? '0', id)

/** `samedi 21 novembre` of a day `2026-11-21`. */
export const dayName = (day: string): string =>
  new Intl.DateTimeFormat(language.value, {
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    timeZone: 'UTC',
  }).format(new Date(`${day}T12:00:00Z`))

/** `sam. 21 nov. 2026` of a day `2026-11-21`; nothing of what is no day. */
export const fullDay = (day: string): string => {
  const noon = Date.parse(`${day}T12:00:00Z`)
  if (Number.isNaN(noon)) return ''
  return new Intl.DateTimeFormat(language.value, {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    timeZone: 'UTC',
  }).format(noon)
}

/** The day in the shop, as `2026-11-21`. */
export const dayOf = (at: number): string =>
  new Intl.DateTimeFormat('en-CA', {
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    timeZone: shop.value?.timeZone ?? 'UTC',
  }).format(at)

const inShop = (style: Intl.DateTimeFormatOptions): Intl.DateTimeFormat =>
  new Intl.DateTimeFormat(language.value, {
    ...style,
    hour12: false,
    timeZone: shop.value?.timeZone ?? 'UTC',
  })
