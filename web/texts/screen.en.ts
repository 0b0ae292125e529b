import type { Translated } from './fr.ts'
import type { fr } from './screen.fr.ts'

export const en: Translated<typeof fr> = {
  title: 'Race screen',
}
