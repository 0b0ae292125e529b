import { useState } from 'preact/hooks'
import { ask } from '../client.ts'
import { dateTime } from '../format.ts'
import { useAnswer } from './answer.ts'
import type { Floor } from './floor.ts'
import { Panel } from './parts.tsx'
import { texts } from './texts.ts'
import { complaintOf } from './words.ts'

const EVERY_MS = 30_000

/** Pauses and resumes a track: whether another round opens after the one under way. */
export const TrackSwitch = ({ floor }: { readonly floor: Floor }) => {
  const pace = { everyMs: EVERY_MS, happened: floor.happened.value }
  const seen = useAnswer('GET /api/v1/tracks', {}, pace)
  const users = useAnswer('GET /api/v1/users/', {}, { everyMs: EVERY_MS })
  const [isBusy, setBusy] = useState(false)
  const [complaint, complain] = useState('')
  const track = seen.data?.tracks.find((one) => one.track === floor.track)
  const { tracks } = texts.value
  if (!track) return <Panel title={tracks.title(floor.track)} seen={seen} />
  const turn = async (): Promise<void> => {
    setBusy(true)
    const path = { path: { track: track.track } }
    const answer = track.paused
      ? await ask('POST /api/v1/tracks/{track}/resume', path)
      : await ask('POST /api/v1/tracks/{track}/pause', path)
    setBusy(false)
    complain(answer.ok ? '' : complaintOf(answer))
    seen.again()
  }
  const by = users.data?.find(({ id }) => id === track.changedBy)?.name ?? ''
  return (
    <Panel title={tracks.title(track.track)} seen={seen}>
      <p>
        <strong>{track.paused ? tracks.paused : tracks.runs}</strong>{' '}
        {track.changedAt !== null && tracks.since(dateTime(track.changedAt), by)}
      </p>
      <p class="hint">{track.paused ? tracks.pausedMeans : tracks.pauseMeans}</p>
      <p role="alert">{complaint}</p>
      <button type="button" disabled={isBusy} onClick={() => void turn()}>
        {track.paused ? tracks.resume : tracks.pause}
      </button>
    </Panel>
  )
}
