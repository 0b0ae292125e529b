import { effect, signal } from '@preact/signals'
import { LanguageSwitch, LiveSign, showPage } from '../frame.tsx'
import { Live } from '../live.ts'
import { shared } from '../refusals.ts'
import { shop } from '../shop.ts'
import { Field } from './field.view.tsx'
import { LastResults, Outcome } from './outcome.view.tsx'
import { RaceView } from './race.canvas.tsx'
import './screen.css'
import { hear, isPaused, round } from './screen.state.ts'
import { texts } from './texts.ts'

// The screen for the customers: it shows what comes next, the race, and its result, and is touched by nobody for weeks.

const TICK_MS = 250
/** The finish stays to be seen so long before the result takes its place, or so much of the time for results. */
const FINISH_MS = 1_500
const FINISH_SHARE = 0.3

const track = new URLSearchParams(location.search).get('track') ?? undefined
const live = new Live({ topics: ['race'], track, onMessage: hear })
live.start()
const clock = signal(0)
setInterval(() => {
  clock.value = live.now()
}, TICK_MS)
const now = (): number => live.now()

addEventListener('keydown', ({ key }) => {
  if (key !== 'f') return
  if (document.fullscreenElement) void document.exitFullscreen()
  else void document.documentElement.requestFullscreen().catch(() => {})
})
effect(() => {
  document.title = `${texts.value.title} · ${shop.value?.name ?? 'Galop'}`
})

const seconds = (ms: number): string => {
  const whole = Math.max(0, Math.ceil(ms / 1_000))
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`
}

const Head = () => {
  const known = round.value
  const phase = known?.voided ? 'voided' : known?.status
  return (
    <header class="head">
      <strong class="shop">{shop.value?.name}</strong>
      <h1>{known ? texts.value.race(known.roundId) : texts.value.title}</h1>
      {shop.value!.tracks.length > 1 && known && <span class="track">{known.track}</span>}
      {phase && <span class={`phase ${phase}`}>{shared.value.phase[phase]}</span>}
      <span class="grow" />
      {live.state.value !== 'live' && <LiveSign state={live.state.value} />}
      <LanguageSwitch />
    </header>
  )
}

const Stage = () => {
  const known = round.value
  const { tracks } = shop.value!
  if (track !== undefined && tracks.indexOf(track) < 0)
    return <p class="notice">{texts.value.unknownTrack(track, tracks.join(', '))}</p>
  if (known === undefined) return <p class="notice">{shared.value.loading}</p>
  if (known === null) return <p class="notice">{isPaused.value ? texts.value.paused : texts.value.noRace}</p>
  const at = clock.value || now()
  const finishMs = Math.min(FINISH_MS, (known.nextAt - known.endsAt) * FINISH_SHARE)
  const isFilm =
    known.status === 'running' || (known.status === 'settled' && known.result && at < known.endsAt + finishMs)
  if (isFilm) return <RaceView round={known} now={now} />
  const left = (until: number): string => seconds(until - at)
  if (known.status === 'settled') return <Outcome round={known} left={left(known.nextAt)} />
  return <Field round={known} left={left} />
}

showPage(() => (
  <main class="screen">
    <Head />
    <div class="stage">
      <Stage />
    </div>
    <LastResults />
  </main>
))
