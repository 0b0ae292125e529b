import { language } from '../language.ts'
import { inWords, type Refusal } from '../refusals.ts'
import { texts } from './texts.ts'

/** `12 345` */
export const whole = (count: number): string => new Intl.NumberFormat(language.value).format(count)

/** `12 345 reçus` */
export const receiptsOf = (count: number): string => texts.value.receipts(count, whole(count))

/** `45 s`, `12 min`, `3 h 05 min`, `2 j` */
export const age = (ms: number): string => {
  const seconds = Math.max(0, Math.floor(ms / 1_000))
  const minutes = Math.floor(seconds / 60)
  const hours = Math.floor(minutes / 60)
  if (minutes === 0) return `${seconds} s`
  if (hours === 0) return `${minutes} min`
  if (hours < 48) return `${hours} h ${String(minutes % 60).padStart(2, '0')} min`
  return `${Math.floor(hours / 24)} ${texts.value.dayUnit}`
}

/** Text for a name that the server may know and this page not yet. */
export const wordFor = (words: Readonly<Record<string, string>>, name: string): string => words[name] ?? name

/** A refusal as the desk says it: some are met nowhere else. */
export const complaintOf = (refusal: Refusal): string => {
  const own: Readonly<Record<string, string>> = texts.value.refusals
  return own[refusal.code] ?? inWords(refusal)
}

const LEAST_SHARE = 0.001

/** `2,8 %`; what is more than nothing is never told as nothing. */
export const shareOf = (part: number, all: number): string => {
  const format = new Intl.NumberFormat(language.value, { style: 'percent', maximumFractionDigits: 1 })
  const share = all <= 0 ? 0 : Math.max(0, part) / all
  return share > 0 && share < LEAST_SHARE ? `< ${format.format(LEAST_SHARE)}` : format.format(share)
}
