// What somebody wants checked: the number of a race, or a link from the code on a receipt or a screen, which brings the
// commitment of before the race with it.

export type Asked = {
  /** As typed; not known to be a number. */
  readonly round: string
  readonly commitment: string | undefined
}

/** What an address asks for; the page's own, or that of a code, whatever its server is called there. */
const askedBy = (parameters: URLSearchParams): Asked | undefined => {
  const round = parameters.get('round')
  if (round === null) return undefined
  return { round: round.trim(), commitment: parameters.get('commitment')?.trim().toLowerCase() }
}

export const askedByPage = (search: string): Asked | undefined => askedBy(new URLSearchParams(search))

/** `before` is what was asked before: the same number again is asked with the same commitment. */
export const askedByText = (text: string, before: Asked | undefined): Asked => {
  const plain = text.trim()
  const link = URL.canParse(plain) ? askedBy(new URL(plain).searchParams) : undefined
  return link ?? { round: plain, commitment: before?.round === plain ? before.commitment : undefined }
}
