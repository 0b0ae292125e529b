import { inLanguage } from '../language.ts'
import { en } from '../texts/station.en.ts'
import { fr } from '../texts/station.fr.ts'

export const texts = inLanguage({ fr, en })
