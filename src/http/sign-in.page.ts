import { Hono } from 'hono'
import { html } from 'hono/html'
import { languageOf, sendPage } from './page.ts'

const WORDS = {
  fr: {
    title: 'Connexion',
    name: 'Nom',
    password: 'Mot de passe',
    enter: 'Entrer',
    complaints: {
      WRONG_PASSWORD: 'Nom ou mot de passe incorrect, ou compte désactivé.',
      BAD_REQUEST: 'Nom ou mot de passe trop long.',
      TOO_MANY_REQUESTS: 'Trop d’essais : attendez une minute.',
      POSTGRES_UNAVAILABLE: 'La base de données est absente : réessayez dans un moment.',
      other: 'La connexion a échoué : réessayez dans un moment.',
    },
  },
  en: {
    title: 'Sign in',
    name: 'Name',
    password: 'Password',
    enter: 'Enter',
    complaints: {
      WRONG_PASSWORD: 'The name or the password is wrong, or the account is disabled.',
      BAD_REQUEST: 'The name or the password is too long.',
      TOO_MANY_REQUESTS: 'Too many attempts: wait a minute.',
      POSTGRES_UNAVAILABLE: 'The database is away: try again in a moment.',
      other: 'Signing in failed: try again in a moment.',
    },
  },
} as const

const STYLE = `
body { display: grid; place-items: center; min-height: 100vh; margin: 0; font: 16px/1.4 system-ui, sans-serif; background: #f3f4f1; color: #1b1f1a }
form { display: grid; gap: .75rem; width: min(20rem, 90vw); padding: 2rem; background: #fff; border: 1px solid #c9cec4; border-radius: .5rem }
h1 { margin: 0; font-size: 1.4rem } label { display: grid; gap: .25rem }
input, button { font: inherit; padding: .5rem; border: 1px solid #767d70; border-radius: .25rem }
button { background: #1d5b2f; color: #fff; border-color: #1d5b2f; cursor: pointer } [role=alert] { color: #a11; min-height: 1.4em; margin: 0 }
`

// After signing in: back to where one came from, within this server only.
const scriptOf = (complaints: Readonly<Record<string, string>>): string => `
const complaints = new Map(Object.entries(${JSON.stringify(complaints)}))
const form = document.querySelector('form')
form.addEventListener('submit', async (event) => {
  event.preventDefault()
  const alert = document.querySelector('[role=alert]')
  alert.textContent = ''
  try {
    const { name, password } = Object.fromEntries(new FormData(form))
    const response = await fetch('/api/v1/auth/login', {
      method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ name, password })
    })
    const answer = await response.json()
    if (!answer.success) {
      alert.textContent = complaints.get(answer.error.code) ?? complaints.get('other')
      return
    }
    const next = new URLSearchParams(location.search).get('next') ?? '/docs'
    const to = new URL(next, location.origin)
    location.assign(to.origin === location.origin ? to.pathname + to.search : '/docs')
  } catch { alert.textContent = complaints.get('other') }
})
`

/** `/sign-in`: a form for those who come with a browser to a page that needs a session. */
export const signInPage = (isDemonstration: boolean) => {
  const app = new Hono()
  app.get('/sign-in', (c) => {
    const language = languageOf(c.req.query('lang'), c.req.header('accept-language'))
    const words = WORDS[language]
    return sendPage(c, {
      language,
      title: `${words.title} · Galop`,
      style: STYLE,
      isDemonstration,
      script: scriptOf(words.complaints),
      body: html`<form method="post"><h1>Galop</h1>
<label>${words.name}<input name="name" autocomplete="username" required autofocus></label>
<label>${words.password}<input name="password" type="password" autocomplete="current-password" required></label>
<p role="alert"></p>
<button>${words.enter}</button></form>`,
    })
  })
  return app
}
