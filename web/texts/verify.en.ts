import type { Translated } from './fr.ts'
import type { fr } from './verify.fr.ts'

export const en: Translated<typeof fr> = {
  title: 'Verify a race',
}
