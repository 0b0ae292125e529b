import type { fr } from './desk.fr.ts'
import type { Translated } from './fr.ts'

export const en: Translated<typeof fr> = {
  title: 'Desk',
}
