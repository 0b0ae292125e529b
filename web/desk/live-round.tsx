import { useState } from 'preact/hooks'
import type { LiveFigures, VoidedRound } from '../api.d.ts'
import { money, odds, plainMoney } from '../format.ts'
import { shared } from '../refusals.ts'
import { shop } from '../shop.ts'
import { useAnswer } from './answer.ts'
import { Bar } from './bar.tsx'
import { Countdown } from './countdown.tsx'
import type { Floor } from './floor.ts'
import { Figure, Panel, Table } from './parts.tsx'
import { linkTo } from './place.ts'
import { texts } from './texts.ts'
import { TrackSwitch } from './track-switch.tsx'
import { VoidRound } from './void-round.tsx'
import { receiptsOf, shareOf, whole } from './words.ts'

/** Asked whenever something is heard to happen; this often where nothing is heard. */
const EVERY_MS = 10_000

export const LiveRound = ({ floor }: { readonly floor: Floor }) => {
  const { track, happened } = floor
  const pace = { everyMs: EVERY_MS, happened: happened.value }
  const seen = useAnswer('GET /api/v1/figures/live', { query: { track } }, pace)
  const [voided, setVoided] = useState<VoidedRound>()
  const { sections, live } = texts.value
  const figures = seen.data
  const onVoided = (answer: VoidedRound): void => {
    setVoided(answer)
    seen.again()
  }
  return (
    <>
      <Tracks shown={track} />
      {voided && (
        <p class="done" role="status">
          {live.done(voided.roundId, receiptsOf(voided.receipts), money(voided.stakes))}{' '}
          <a href={linkTo('receipts', { roundId: voided.roundId })}>{live.seeReceipts}</a>
        </p>
      )}
      <Panel title={figures ? live.title(figures.round.id) : sections.live} seen={seen}>
        {figures && <Round figures={figures} floor={floor} />}
      </Panel>
      {figures && <Participants figures={figures} />}
      <TrackSwitch floor={floor} />
      {figures && figures.round.status !== 'settled' && (
        <VoidRound key={figures.round.id} figures={figures} onDone={onVoided} />
      )}
    </>
  )
}

const Tracks = ({ shown }: { readonly shown: string }) => {
  const tracks = shop.value?.tracks ?? []
  if (tracks.length < 2) return null
  return (
    <nav class="tracks" aria-label={texts.value.track}>
      {tracks.map((one) => (
        <a key={one} href={linkTo('live', { track: one })} aria-current={one === shown ? 'true' : undefined}>
          {one}
        </a>
      ))}
    </nav>
  )
}

const Round = ({ figures, floor }: { readonly figures: LiveFigures; readonly floor: Floor }) => {
  const { round, paused, receipts, stakes, cancelled, exposure } = figures
  const { live } = texts.value
  const phase = round.voided ? 'voided' : round.status
  const winner = round.participants.find(({ number }) => number === round.result?.winner)
  return (
    <>
      <p class={`phase ${phase}`}>
        <strong>{shared.value.phase[phase]}</strong> {winner && live.won(winner.number, winner.name)}{' '}
        <Countdown figures={figures} now={() => floor.live.now()} />
      </p>
      {paused && <p class="paused">{live.pausedAfter}</p>}
      <dl class="figures">
        <Figure name={live.receipts}>{whole(receipts)}</Figure>
        <Figure name={live.stakes}>{money(stakes)}</Figure>
        <Figure name={live.cancelled}>
          {money(cancelled.stakes)} <small>({receiptsOf(cancelled.receipts)})</small>
        </Figure>
        <Figure name={live.exposure}>
          {money(exposure.worst)}{' '}
          <small>
            {live.ofCap(money(exposure.cap))} ({shareOf(exposure.worst, exposure.cap)})
          </small>
          <meter
            min={0}
            max={exposure.cap}
            low={0.6 * exposure.cap}
            high={0.85 * exposure.cap}
            optimum={0}
            value={Math.max(0, exposure.worst)}
            aria-label={live.exposure}
          />
        </Figure>
      </dl>
    </>
  )
}

/** Stake and liability of each participant, as bars with their numbers beside. */
const Participants = ({ figures }: { readonly figures: LiveFigures }) => {
  const { participants, exposure } = figures
  const { live } = texts.value
  const mostStake = Math.max(...participants.map(({ stakes }) => stakes))
  const mostLiability = Math.max(...participants.map(({ liability }) => liability))
  const columns = [
    { name: live.number },
    { name: live.name },
    { name: live.odds, isNumber: true },
    { name: live.stake },
    { name: live.liability },
    { name: live.ofTheCap, isNumber: true },
  ]
  return (
    <Panel title={live.participants}>
      <Table label={live.participants} columns={columns}>
        {participants.map(({ number, name, coeff, stakes, liability }) => (
          <tr key={number}>
            <td class="number">{number}</td>
            <th scope="row">{name}</th>
            <td class="right">{odds(coeff)}</td>
            <td class="with-bar">
              <Bar value={stakes} most={mostStake} kind="stake" />
              <span>{plainMoney(stakes)}</span>
            </td>
            <td class="with-bar">
              <Bar value={liability} most={mostLiability} kind="liability" />
              <span>{plainMoney(liability)}</span>
            </td>
            <td class="right">{shareOf(liability, exposure.cap)}</td>
          </tr>
        ))}
      </Table>
      <p class="hint">{live.liabilityIs}</p>
    </Panel>
  )
}
