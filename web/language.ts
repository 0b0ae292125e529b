import { computed, effect, type ReadonlySignal, signal } from '@preact/signals'

// French or English: what was chosen here before, what the address asks for (?lang=en), or what the browser prefers.

export type Language = 'fr' | 'en'
const KEY = 'galop.language'

const asLanguage = (text: string | null | undefined): Language | undefined => {
  const two = text?.slice(0, 2).toLowerCase()
  return two === 'fr' || two === 'en' ? two : undefined
}

const firstLanguage = (): Language =>
  asLanguage(new URLSearchParams(location.search).get('lang')) ??
  asLanguage(localStorage.getItem(KEY)) ??
  navigator.languages.map(asLanguage).find((one) => one !== undefined) ??
  'fr'

export const language = signal<Language>(firstLanguage())

export const chooseLanguage = (chosen: Language): void => {
  localStorage.setItem(KEY, chosen)
  language.value = chosen
}

effect(() => {
  document.documentElement.lang = language.value
})

/** Texts in the language of the moment. `en` must have whatever `fr` has. */
export const inLanguage = <T>(texts: Readonly<Record<Language, T>>): ReadonlySignal<T> =>
  computed(() => texts[language.value])
