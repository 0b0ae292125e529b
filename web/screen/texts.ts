import { inLanguage } from '../language.ts'
import { en } from '../texts/screen.en.ts'
import { fr } from '../texts/screen.fr.ts'

export const texts = inLanguage({ fr, en })
