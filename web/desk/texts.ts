import { inLanguage } from '../language.ts'
import { en } from '../texts/desk.en.ts'
import { fr } from '../texts/desk.fr.ts'

export const texts = inLanguage({ fr, en })
