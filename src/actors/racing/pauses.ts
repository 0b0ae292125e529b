import type { Fact } from '../../domain/racing/facts.ts'
import type { Clock } from '../clock.port.ts'
import type { Journal } from '../journal.port.ts'
import { Unavailable } from '../unavailable.port.ts'
import type { TrackState } from './racing.port.ts'

// Which tracks are paused. A paused track ends the round it runs and opens no other until it is resumed.
//   Z1. A pause holds from the moment it is asked for; whoever asked hears of it when it is on disk.
//   Z2. It survives a restart, with who asked for it and when.

type PauseNote = { readonly paused: boolean; readonly at: number; readonly by: number }
const nameOf = (track: string): string => `pause/${track}`

export class Pauses {
  readonly #journal: Journal<Fact>
  readonly #clock: Clock
  readonly #notes = new Map<string, PauseNote | undefined>()

  constructor(tracks: readonly string[], journal: Journal<Fact>, clock: Clock) {
    this.#journal = journal
    this.#clock = clock
    for (const track of tracks) this.#read(track)
  }

  of(track: string): TrackState {
    const note = this.#notes.get(track)
    return {
      track,
      paused: note?.paused ?? false,
      changedAt: note?.at ?? null,
      changedBy: note?.by ?? null,
    }
  }

  /** Asked again for what is so already, answers the same. @throws Unavailable where it cannot be written down */
  async set(track: string, paused: boolean, by: number): Promise<{ state: TrackState; isNew: boolean }> {
    const before = this.#notes.get(track)
    const isNew = (before?.paused ?? false) !== paused
    const note = isNew ? { paused, at: this.#clock.now(), by } : before
    this.#notes.set(track, note)
    const state = this.of(track)
    try {
      await this.#journal.write({ [nameOf(track)]: note })
    } catch (cause) {
      this.#read(track)
      throw new Unavailable('journal', 'the journal cannot write at present; nothing was changed', { cause })
    }
    return { state, isNew }
  }

  #read(track: string): void {
    this.#notes.set(track, this.#journal.note(nameOf(track)) as PauseNote | undefined)
  }
}
