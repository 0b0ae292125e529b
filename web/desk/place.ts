import { signal } from '@preact/signals'

// Where in the desk somebody is: `#receipts?roundId=12`. It stands in the address, so that a reload, a link and the
// browser's way back lead to the same place.

export const SECTIONS = ['live', 'figures', 'receipts', 'users', 'stored'] as const
export type Section = (typeof SECTIONS)[number]
export type Asked = Readonly<Record<string, string>>
export type Place = { readonly section: Section; readonly asked: Asked }

const placeOf = (hash: string): Place => {
  const [name, query = ''] = hash.replace('#', '').split('?')
  const asked: Record<string, string> = {}
  new URLSearchParams(query).forEach((value, key) => {
    asked[key] = value
  })
  return { section: SECTIONS.find((one) => one === name) ?? 'live', asked }
}

export const place = signal(placeOf(location.hash))
addEventListener('hashchange', () => {
  place.value = placeOf(location.hash)
})

/** The address of a place; what is empty is left out. */
export const linkTo = (
  section: Section,
  asked: Readonly<Record<string, string | number | undefined>> = {},
) => {
  const query = Object.entries(asked)
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`)
  return query.length === 0 ? `#${section}` : `#${section}?${query.join('&')}`
}
