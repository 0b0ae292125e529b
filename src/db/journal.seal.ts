import { crc32 } from 'node:zlib'

/** A value as the text that is kept under a name: eight digits of CRC-32 over name and value, then the value as JSON. */
export const seal = (name: string, value: unknown): string => {
  const text = JSON.stringify(value)
  return checkOf(name, text) + text
}

/** The value of a sealed text. Throws `Damaged` where it is not what was kept under this name. */
export const unseal = (name: string, sealed: string): unknown => {
  const text = sealed.slice(CHECK_DIGITS)
  if (sealed.slice(0, CHECK_DIGITS) !== checkOf(name, text)) throw new Damaged(name)
  return JSON.parse(text)
}

/** The JSON in these bytes, where they are a text that was sealed under this name. */
export const sealedText = (name: string, bytes: Buffer): string | undefined =>
  bytes.toString('latin1', 0, CHECK_DIGITS) === checkOf(name, bytes.subarray(CHECK_DIGITS))
    ? bytes.toString('utf8', CHECK_DIGITS)
    : undefined

/** What is on disk is not what was written there. */
export class Damaged extends Error {
  readonly record: string
  constructor(record: string) {
    super(`record ${record} of the journal is damaged`)
    this.record = record
  }
}

const CHECK_DIGITS = 8
const checkOf = (name: string, text: string | Buffer): string =>
  crc32(text, crc32(name)).toString(16).padStart(CHECK_DIGITS, '0')
