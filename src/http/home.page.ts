import { Hono } from 'hono'
import { html } from 'hono/html'
import { languageOf, sendPage } from './page.ts'

const WORDS = {
  fr: {
    running: 'Le serveur de la boutique est en marche.',
    station: 'Station de vente',
    screen: 'Écran des courses',
    colon: ' :',
    desk: 'Bureau (admin)',
    verify: 'Vérifier une course',
    docs: 'Référence de l’API',
    jobs: 'Tâches de fond (admin)',
    game: 'La course en cours',
    health: 'État du serveur',
    signIn: 'Connexion',
  },
  en: {
    running: 'The server of the shop is running.',
    station: 'Sales station',
    screen: 'Race screen',
    colon: ':',
    desk: 'Desk (admin)',
    verify: 'Verify a race',
    docs: 'API reference',
    jobs: 'Background jobs (admin)',
    game: 'The current race',
    health: 'Health of the server',
    signIn: 'Sign in',
  },
} as const

const STYLE = `
body { display: grid; place-items: center; min-height: 100vh; margin: 0; font: 16px/1.6 system-ui, sans-serif; background: #f3f4f1; color: #1b1f1a }
main { padding: 2rem 3rem; background: #fff; border: 1px solid #c9cec4; border-radius: .5rem } h1 { margin: 0 } a { color: #1d5b2f }
`

/** `/`: says that the server runs, and where one can go. Each track has a screen. */
export const homePage = (tracks: readonly string[], isDemonstration: boolean) => {
  const app = new Hono()
  app.get('/', (c) => {
    const language = languageOf(c.req.query('lang'), c.req.header('accept-language'))
    const words = WORDS[language]
    const screens =
      tracks.length < 2
        ? [['/screen', words.screen]]
        : tracks.map((track) => [
            `/screen?track=${encodeURIComponent(track)}`,
            `${words.screen}${words.colon} ${track}`,
          ])
    return sendPage(c, {
      language,
      title: 'Galop',
      style: STYLE,
      isDemonstration,
      body: html`<main><h1>Galop</h1><p>${words.running}</p><ul>
<li><a href="/station">${words.station}</a></li>
${screens.map(([address, name]) => html`<li><a href="${address}">${name}</a></li>`)}
<li><a href="/desk">${words.desk}</a></li>
<li><a href="/verify">${words.verify}</a></li>
</ul><ul>
<li><a href="/sign-in">${words.signIn}</a></li>
<li><a href="/api/v1/init/game">${words.game}</a></li>
<li><a href="/docs">${words.docs}</a></li>
<li><a href="/admin/jobs">${words.jobs}</a></li>
<li><a href="/health/detailed">${words.health}</a></li>
</ul></main>`,
    })
  })
  return app
}
