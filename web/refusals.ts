import type { Failure } from './api.d.ts'
import { inLanguage } from './language.ts'
import { en } from './texts/en.ts'
import { fr } from './texts/fr.ts'

/** Why the server did not do it, or `NO_ANSWER`: nobody knows whether it did. */
export type ErrorCode = Failure['error']['code'] | 'NO_ANSWER'

export type Refusal = {
  readonly ok: false
  readonly code: ErrorCode
  /** The server's own words, in English. */
  readonly message: string
  readonly details: unknown
}

/** The texts that all pages share, in the language of the moment. */
export const shared = inLanguage({ fr, en })

/** A refusal in words for people. */
export const inWords = ({ code, message }: Pick<Refusal, 'code' | 'message'>): string => {
  const { refusals, unknownFault } = shared.value
  if (code in refusals) return refusals[code as keyof typeof refusals]
  return message === '' ? unknownFault : `${unknownFault} (${message})`
}
