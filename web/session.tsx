import { signal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { Person } from './api.d.ts'
import { ask, onSignedOut } from './client.ts'
import { inWords, shared } from './refusals.ts'

/** Who is signed in: `undefined` while nobody knows, `null` where nobody is. */
export const person = signal<Person | null | undefined>(undefined)

onSignedOut(() => {
  person.value = null
})

const AGAIN_MS = 1_000

/** Asks who is signed in, until the server says it. */
export const loadPerson = async (): Promise<void> => {
  for (;;) {
    const answer = await ask('GET /api/v1/auth/me')
    if (answer.ok) person.value = answer.data.user
    if (answer.ok || answer.code === 'UNAUTHENTICATED') return
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS))
  }
}

export const signOut = async (): Promise<void> => {
  await ask('POST /api/v1/auth/logout')
  person.value = null
}

/** Shows what is inside to whoever is signed in, and a form to everybody else. */
export const SignedIn = (props: { readonly adminsOnly?: boolean; readonly children: ComponentChildren }) => {
  useEffect(() => {
    if (person.value === undefined) void loadPerson()
  }, [])
  if (person.value === undefined) return <p class="notice">{shared.value.loading}</p>
  const isStranger = person.value === null || (props.adminsOnly && person.value.role !== 'admin')
  return isStranger ? <SignIn /> : props.children
}

const SignIn = () => {
  const [complaint, complain] = useState('')
  const [isBusy, setBusy] = useState(false)
  const first = useRef<HTMLInputElement>(null)
  useEffect(() => first.current?.focus(), [])
  const { signIn } = shared.value
  const enter = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault()
    const form = event.currentTarget as HTMLFormElement
    const typed = new FormData(form)
    setBusy(true)
    const answer = await ask('POST /api/v1/auth/login', {
      body: { name: String(typed.get('name')), password: String(typed.get('password')) },
    })
    setBusy(false)
    if (answer.ok) person.value = answer.data.user
    else complain(inWords(answer))
  }
  return (
    <main class="sign-in">
      <form method="post" onSubmit={(event) => void enter(event)}>
        <h1>{signIn.title}</h1>
        {person.value && <p class="notice">{signIn.adminsOnly}</p>}
        <label>
          {signIn.name}
          <input ref={first} name="name" autocomplete="username" required maxLength={100} />
        </label>
        <label>
          {signIn.password}
          <input name="password" type="password" autocomplete="current-password" required maxLength={200} />
        </label>
        <p role="alert">{complaint}</p>
        <button type="submit" class="primary" disabled={isBusy}>
          {signIn.enter}
        </button>
      </form>
    </main>
  )
}
