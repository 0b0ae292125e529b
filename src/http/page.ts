import { randomBytes } from 'node:crypto'
import type { Context } from 'hono'
import { html, raw } from 'hono/html'

// Pages: escaped text, nothing from other sites, nothing that runs without this page's nonce.

export type Language = 'fr' | 'en'
type Markup = ReturnType<typeof html>
/** Browsers look for an icon of their own accord, and complain where there is none. */
export const NO_ICON = '<link rel="icon" href="data:,">'
/** What every page of a demonstration says, with the style of `.demonstration`. */
export const MARK = { fr: 'DÉMONSTRATION — sans valeur', en: 'DEMONSTRATION — worth nothing' } as const
export const MARK_STYLE =
  '.demonstration { margin: 1mm 0; padding: 1mm; border: .5mm solid #000; color: #000; background: #fff; font-weight: 700; text-align: center }'
const HOURLESS = 'no-store'

/** The language asked for, or the first of the browser's that there is; French where there is none. */
export const languageOf = (asked: string | undefined, accepted: string | undefined): Language => {
  if (asked === 'fr' || asked === 'en') return asked
  const first = accepted
    ?.split(',')
    .map((part) => part.trim().slice(0, 2).toLowerCase())
    .find((tag) => tag === 'fr' || tag === 'en')
  return first === 'en' ? 'en' : 'fr'
}

export type Page = {
  readonly language: Language
  readonly title: string
  readonly style: string
  readonly body: Markup | Promise<Markup>
  /** Runs once the page is there. */
  readonly script?: string
  /** Pages of this server may show it in a frame, as the station does to print it. */
  readonly isFramed?: boolean
  /** It says that nothing here is worth anything. */
  readonly isDemonstration?: boolean
}

/** Answers with a page. */
export const sendPage = async (
  c: Context,
  { language, title, style, body, script, isFramed = false, isDemonstration = false }: Page,
  status: 200 | 403 | 503 = 200,
) => {
  const nonce = randomBytes(16).toString('base64')
  const page = await html`<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
${raw(NO_ICON)}
<style nonce="${nonce}">${raw(style)}${raw(isDemonstration ? MARK_STYLE : '')}</style>
</head>
<body>
${isDemonstration ? html`<p class="demonstration">${MARK[language]}</p>` : ''}
${await body}
${script === undefined ? '' : html`<script nonce="${nonce}">${raw(script)}</script>`}
</body>
</html>
`
  return c.html(page, status, {
    'Cache-Control': HOURLESS,
    ...pageHeaders(
      `default-src 'none'; style-src 'nonce-${nonce}'; script-src 'nonce-${nonce}'; img-src data:; connect-src 'self'; form-action 'self'`,
      'none',
      isFramed ? 'self' : 'none',
    ),
  })
}

/** The headers of every page, with what it may load, where its relative addresses may begin, and who may frame it. */
export const pageHeaders = (
  policy: string,
  base: 'none' | 'self' = 'none',
  frames: 'none' | 'self' = 'none',
): Record<string, string> => ({
  'Content-Security-Policy': `${policy}; base-uri '${base}'; frame-ancestors '${frames}'`,
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': frames === 'none' ? 'DENY' : 'SAMEORIGIN',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
})
