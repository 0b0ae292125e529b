import { signal } from '@preact/signals'
import { type Checked, checkProof, type Proof } from '../../src/domain/racing/proof.ts'
import { ask } from '../client.ts'
import { showPage, TopLine } from '../frame.tsx'
import { inWords } from '../refusals.ts'
import { Steps } from './steps.view.tsx'
import { texts } from './texts.ts'
import './verify.css'

// Anybody may come here, with a number, or from a code on a screen that also says what was committed to.

type Found =
  | { readonly kind: 'nothing' | 'asking' }
  | { readonly kind: 'said'; readonly say: () => string }
  | { readonly kind: 'checked'; readonly proof: Proof; readonly checked: Checked }

const address = new URLSearchParams(location.search)
const typed = signal(address.get('round') ?? '')
const found = signal<Found>({ kind: 'nothing' })

const verify = async (text: string, kept: string | undefined): Promise<void> => {
  const number = text.trim()
  if (!/^\d{1,15}$/.test(number) || Number(number) === 0) return say(() => texts.value.notARound)
  found.value = { kind: 'asking' }
  const id = await roundOf(number)
  if (typeof id !== 'number') return say(id)
  const answer = await ask('GET /api/v1/rounds/{id}/proof', { path: { id } })
  if (!answer.ok)
    return say(() => (answer.code === 'NOT_FOUND' ? texts.value.receiptOfAnother : inWords(answer)))
  try {
    const checked = checkProof(answer.data, kept)
    if (checked) found.value = { kind: 'checked', proof: answer.data, checked }
    else say(() => texts.value.notYet(id))
  } catch {
    say(() => texts.value.noProof)
  }
}

/** The number of a receipt is printed with a zero before it, and only those who work here may ask for its race. */
const roundOf = async (number: string): Promise<number | (() => string)> => {
  if (!number.startsWith('0')) return Number(number)
  const answer = await ask('GET /api/v1/my-bets/{id}', { path: { id: number } })
  return answer.ok ? answer.data.roundId : () => texts.value.receiptOfAnother
}

const say = (words: () => string): void => {
  found.value = { kind: 'said', say: words }
}

const submit = (event: Event): void => {
  event.preventDefault()
  // What was scanned with another number says nothing of this one.
  const kept = typed.value.trim() === address.get('round') ? address.get('commitment') : null
  void verify(typed.value, kept?.toLowerCase())
}
if (typed.value !== '') void verify(typed.value, address.get('commitment')?.toLowerCase())

const Verify = () => {
  const { title, intro, ask: asks, check } = texts.value
  const now = found.value
  return (
    <>
      <TopLine title={title} />
      <main class="verify">
        <p class="intro">{intro}</p>
        <form onSubmit={submit}>
          <label>
            {asks}
            <input
              name="round"
              inputMode="numeric"
              autocomplete="off"
              maxLength={15}
              value={typed.value}
              onInput={({ currentTarget }) => {
                typed.value = currentTarget.value
              }}
            />
          </label>
          <button type="submit" class="primary" disabled={now.kind === 'asking'}>
            {check}
          </button>
        </form>
        {now.kind === 'said' && <p role="alert">{now.say()}</p>}
        {now.kind === 'checked' && <Steps proof={now.proof} checked={now.checked} />}
      </main>
    </>
  )
}

showPage(() => <Verify />)
