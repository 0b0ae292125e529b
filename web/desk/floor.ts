import { type Signal, signal } from '@preact/signals'
import { Live, type LiveMessage } from '../live.ts'
import { person } from '../session.tsx'

// What is heard of a track. It only says that something happened: the figures are asked of the server, which counts.

export type Floor = {
  readonly track: string
  readonly live: Live
  /** Grows with every sale, payment, and turn of a round. */
  readonly happened: Signal<number>
}

export const openFloor = (track: string): Floor => {
  const happened = signal(0)
  const onMessage = ({ event }: LiveMessage): void => {
    if (event !== 'timer') happened.value += 1
  }
  const onSignedOut = (): void => {
    person.value = null
  }
  return { track, happened, live: new Live({ topics: ['race', 'receipts'], track, onMessage, onSignedOut }) }
}
