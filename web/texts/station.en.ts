import type { Translated } from './fr.ts'
import type { fr } from './station.fr.ts'

export const en: Translated<typeof fr> = {
  title: 'Station',
}
