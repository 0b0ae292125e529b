import { inLanguage } from '../language.ts'
import { en } from '../texts/verify.en.ts'
import { fr } from '../texts/verify.fr.ts'

export const texts = inLanguage({ fr, en })
