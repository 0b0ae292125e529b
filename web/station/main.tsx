import { useEffect, useRef } from 'preact/hooks'
import { receiptNumber } from '../format.ts'
import { showPage, TopLine } from '../frame.tsx'
import { SignedIn } from '../session.tsx'
import { shop } from '../shop.ts'
import { forget, look } from './check.ts'
import { RaceClock } from './clock.tsx'
import { Counter } from './counter.tsx'
import { Day, LastReceipts, lastReceipt } from './day.tsx'
import { bets, typed } from './draft.ts'
import { Field } from './field.tsx'
import { chooseTrack, followRaces, liveState, track } from './race.ts'
import { type Inputs, Receipt } from './receipt.tsx'
import { resumeSale } from './sale.ts'
import { createScanner } from './scanner.ts'
import './station.css'
import { texts } from './texts.ts'

const Station = () => {
  const inputs = {
    number: useRef<HTMLInputElement>(null),
    amount: useRef<HTMLInputElement>(null),
    check: useRef<HTMLInputElement>(null),
  }
  useEffect(() => {
    const stop = followRaces()
    resumeSale()
    inputs.number.current?.focus()
    return () => {
      forget()
      stop()
    }
  }, [])
  useEffect(() => listenToScanner((read) => lookAt(read)), [])
  useEffect(() => listenEverywhere({ back, check: () => inputs.check.current?.focus(), last, inputs }), [])

  const lookAt = (number: string): void => {
    inputs.check.current?.focus()
    void look(number).then(() => inputs.check.current?.select())
  }
  const back = (): void => {
    forget()
    inputs.number.current?.focus()
  }
  const last = (): void => {
    const id = lastReceipt()
    if (id !== undefined) lookAt(receiptNumber(id))
  }
  const pick = (number: number): void => {
    typed.value = { ...typed.value, number: String(number) }
    inputs.amount.current?.focus()
  }
  return (
    <>
      <TopLine title={texts.value.station(shop.value!.station)} live={liveState}>
        <TrackChoice />
      </TopLine>
      <RaceClock />
      <main class="station">
        <Field onPick={pick} />
        <Receipt inputs={inputs} onLast={last} />
        <div class="side">
          <Counter inputs={inputs} onBack={back} />
          <LastReceipts onLook={(id) => lookAt(receiptNumber(id))} />
          <Day />
        </div>
      </main>
      <footer class="keys">{texts.value.keys}</footer>
    </>
  )
}

const TrackChoice = () => {
  const tracks = shop.value!.tracks
  if (tracks.length < 2) return null
  return (
    <label class="track">
      {texts.value.track}{' '}
      <select value={track.value} onChange={(event) => chooseTrack(event.currentTarget.value)}>
        {tracks.map((one) => (
          <option key={one}>{one}</option>
        ))}
      </select>
    </label>
  )
}

type Everywhere = {
  readonly inputs: Inputs
  readonly back: () => void
  readonly check: () => void
  readonly last: () => void
}

/** The keys that mean the same wherever the focus is, but in a field, which has its own. */
const listenEverywhere = ({ inputs, back, check, last }: Everywhere): (() => void) => {
  const onKey = (event: KeyboardEvent): void => {
    const { key, target } = event
    if (event.ctrlKey || event.altKey || event.metaKey) return
    if (target instanceof HTMLInputElement && target.type !== 'checkbox') return
    if (/^\d$/.test(key)) return inputs.number.current?.focus()
    const meant = { Escape: back, '/': check, '-': last }[key]
    if (!meant) return
    event.preventDefault()
    meant()
  }
  document.addEventListener('keydown', onKey)
  return () => document.removeEventListener('keydown', onKey)
}

/** What a scanner typed into a field on its way is taken out again. */
const listenToScanner = (onRead: (read: string) => void): (() => void) => {
  const scanner = createScanner()
  let before = { typed: typed.value, bets: bets.value }
  const onKey = (event: KeyboardEvent): void => {
    const heard = scanner.hear(event.key, event.timeStamp)
    if (heard.begins) before = { typed: typed.value, bets: bets.value }
    if (heard.read === undefined) return
    event.preventDefault()
    event.stopPropagation()
    typed.value = before.typed
    bets.value = before.bets
    onRead(heard.read)
  }
  document.addEventListener('keydown', onKey, true)
  return () => document.removeEventListener('keydown', onKey, true)
}

showPage(() => (
  <SignedIn>
    <Station />
  </SignedIn>
))
