import { signal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { type Checked, checkProof, type Proof } from '../../src/domain/racing/proof.ts'
import { ask } from '../client.ts'
import { showPage, TopLine } from '../frame.tsx'
import { inWords } from '../refusals.ts'
import { type Asked, askedByPage, askedByText } from './asked.ts'
import { Steps } from './steps.view.tsx'
import { texts } from './texts.ts'
import './verify.css'

// Anybody may come here, with a number, or from a code on a receipt or a screen that also says what was committed to.

type Found =
  | { readonly kind: 'nothing' | 'asking' }
  | { readonly kind: 'said'; readonly say: () => string }
  | { readonly kind: 'checked'; readonly proof: Proof; readonly checked: Checked }

/** A link with a commitment, and an origin of any reasonable length. */
const LONGEST_TEXT = 500

let asked = askedByPage(location.search)
const typed = signal(asked?.round ?? '')
const found = signal<Found>({ kind: 'nothing' })

const verify = async ({ round: number, commitment: kept }: Asked): Promise<void> => {
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

const submit = (event: SubmitEvent): void => {
  event.preventDefault()
  asked = askedByText(typed.value, asked)
  typed.value = asked.round
  void verify(asked)
  // The next scan takes the place of this one.
  const { activeElement } = document
  if (activeElement instanceof HTMLInputElement) requestAnimationFrame(() => activeElement.select())
}
if (asked) void verify(asked)

const Verify = () => {
  const { title, intro, ask: label, check } = texts.value
  const now = found.value
  const field = useRef<HTMLInputElement>(null)
  useEffect(() => {
    if (!asked) field.current?.focus()
  }, [])
  return (
    <>
      <TopLine title={title} />
      <main class="verify">
        <p class="intro">{intro}</p>
        <form onSubmit={submit}>
          <label>
            {label}
            <input
              ref={field}
              name="round"
              inputMode="numeric"
              autocomplete="off"
              maxLength={LONGEST_TEXT}
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
