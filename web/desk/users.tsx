import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { User } from '../api.d.ts'
import { type Answer, ask, type Route } from '../client.ts'
import { person } from '../session.tsx'
import { useAnswer } from './answer.ts'
import { Outcome, Panel, type Said, Table } from './parts.tsx'
import { texts } from './texts.ts'
import { complaintOf } from './words.ts'

const EVERY_MS = 30_000

/** Shows what came of it, and says whether it was done. */
type Told = (answer: Answer<Route>, done: string) => boolean

export const Users = () => {
  const seen = useAnswer('GET /api/v1/users/', {}, { everyMs: EVERY_MS })
  const [said, say] = useState<Said>({})
  const { users } = texts.value
  const told: Told = (answer, done) => {
    say(answer.ok ? { done } : { complaint: complaintOf(answer) })
    seen.again()
    return answer.ok
  }
  const columns = [{ name: users.name }, { name: users.role }, { name: users.state }, { name: users.change }]
  return (
    <>
      <Panel title={users.title} seen={seen}>
        <Outcome {...said} />
        <Table label={users.title} columns={columns}>
          {seen.data?.map((user) => (
            <UserRow key={user.id} user={user} told={told} />
          ))}
        </Table>
      </Panel>
      <NewUser told={told} />
    </>
  )
}

const UserRow = ({ user, told }: { readonly user: User; readonly told: Told }) => {
  const { users } = texts.value
  const [isTyping, setTyping] = useState(false)
  const path = { id: user.id }
  const turn = async (): Promise<void> => {
    if (user.disabled)
      told(await ask('POST /api/v1/users/{id}/enable', { path }), users.enabledNow(user.name))
    else told(await ask('POST /api/v1/users/{id}/disable', { path }), users.disabledNow(user.name))
  }
  const turnWord = user.disabled ? users.enable : users.disable
  return (
    <tr class={user.disabled ? 'off' : ''}>
      <th scope="row">{user.name}</th>
      <td>{users.roles[user.role]}</td>
      <td>{user.disabled ? users.disabled : users.enabled}</td>
      <td class="buttons">
        {isTyping ? (
          <NewPassword user={user} told={told} leave={() => setTyping(false)} />
        ) : (
          <>
            <button type="button" aria-label={users.newPasswordOf(user.name)} onClick={() => setTyping(true)}>
              {users.newPassword}
            </button>
            {user.id !== person.value?.id && (
              <button
                type="button"
                class={user.disabled ? '' : 'danger'}
                aria-label={`${turnWord} ${user.name}`}
                onClick={() => void turn()}
              >
                {turnWord}
              </button>
            )}
          </>
        )}
      </td>
    </tr>
  )
}

const NewPassword = (props: { readonly user: User; readonly told: Told; readonly leave: () => void }) => {
  const { user, told, leave } = props
  const { users } = texts.value
  const first = useRef<HTMLInputElement>(null)
  useLayoutEffect(() => first.current?.focus(), [])
  const send = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault()
    const password = String(new FormData(event.currentTarget as HTMLFormElement).get('password'))
    const answer = await ask('POST /api/v1/users/{id}/password', {
      path: { id: user.id },
      body: { password },
    })
    if (told(answer, users.passwordNow(user.name))) leave()
  }
  return (
    <form
      class="line"
      onSubmit={(event) => void send(event)}
      onKeyDown={(event) => event.key === 'Escape' && leave()}
    >
      <label>
        {users.newPasswordOf(user.name)}
        <input ref={first} {...PASSWORD} />
      </label>
      <button type="submit" class="primary">
        {users.set}
      </button>
      <button type="button" onClick={leave}>
        {users.leave}
      </button>
    </form>
  )
}

/** A new password is read out to somebody: it is shown as it is typed. */
const PASSWORD = {
  name: 'password',
  required: true,
  minLength: 8,
  maxLength: 200,
  autocomplete: 'off',
  spellcheck: false,
} as const

const NewUser = ({ told }: { readonly told: Told }) => {
  const { users } = texts.value
  const create = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault()
    const form = event.currentTarget as HTMLFormElement
    const typed = new FormData(form)
    const name = String(typed.get('name')).trim()
    const password = String(typed.get('password'))
    const role = typed.get('role') === 'admin' ? 'admin' : 'cashier'
    const answer = await ask('POST /api/v1/users/', { body: { name, password, role } })
    if (told(answer, users.created(name))) form.reset()
  }
  return (
    <Panel title={users.create}>
      <form class="line" onSubmit={(event) => void create(event)}>
        <label>
          {users.name}
          <input name="name" required maxLength={50} autocomplete="off" />
        </label>
        <label>
          {users.password}
          <input {...PASSWORD} />
        </label>
        <label>
          {users.role}
          <select name="role">
            <option value="cashier">{users.roles.cashier}</option>
            <option value="admin">{users.roles.admin}</option>
          </select>
        </label>
        <button type="submit" class="primary">
          {users.make}
        </button>
      </form>
      <p class="hint">{users.passwordRule}</p>
    </Panel>
  )
}
