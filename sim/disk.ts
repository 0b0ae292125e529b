// A station's disk. It outlives the server, and does to a commit what disks do.
import type { Entry } from '../src/actors/journal.port.ts'
import type { JournalStore } from '../src/db/journal.ts'
import { memoryStore } from '../src/db/memory.store.ts'
import type { Fact } from '../src/domain/racing/facts.ts'
import type { Chance } from './chance.ts'
import type { Faults } from './faults.ts'
import type { History } from './history.ts'
import { Injected } from './injected.ts'
import type { Owner, Scheduler } from './scheduler.ts'
import { WORLD } from './scheduler.ts'

/** Facts removed at a time: a crash may leave the beginning of a round behind. */
const SLICE = 5

type Operation = { readonly apply: () => void; isOver: boolean }

export class Disk {
  /** What is on it now. */
  readonly durable: JournalStore = memoryStore()
  readonly #station: string
  readonly #scheduler: Scheduler
  readonly #chance: Chance
  readonly #faults: Faults
  readonly #history: History
  /** Operations that a process asked for and that are not on disk yet. */
  readonly #underWay = new Set<Operation>()

  constructor(station: string, scheduler: Scheduler, chance: Chance, faults: Faults, history: History) {
    this.#station = station
    this.#scheduler = scheduler
    this.#chance = chance
    this.#faults = faults
    this.#history = history
  }

  /** The disk as a process sees it. */
  mount(owner: Owner): JournalStore {
    const { durable } = this
    return {
      read: durable.read,
      last: durable.last,
      streams: durable.streams,
      note: durable.note,
      notes: durable.notes,
      close: async () => {},
      commit: (entries, notes) =>
        this.#operate(owner, 'commit', () => this.#write(entries as readonly Entry<Fact>[], notes)),
      remove: async (stream, names) => {
        for (let last = durable.last(stream); last > SLICE; last -= SLICE)
          await this.#operate(owner, 'remove slice', () => this.#truncate(stream, last - SLICE))
        await this.#operate(owner, 'remove', () => run(durable.remove(stream, names)))
      },
      forget: (prefix) => this.#operate(owner, 'forget', () => run(durable.forget(prefix))),
    }
  }

  get isIdle(): boolean {
    return this.#underWay.size === 0
  }

  /** The process died: each operation under way is on disk, or it is not. */
  crash(): void {
    for (const operation of this.#underWay) {
      operation.isOver = true
      if (this.#chance.happens(0.5)) operation.apply()
    }
    this.#underWay.clear()
  }

  #write(entries: readonly Entry<Fact>[], notes: ReadonlyMap<string, unknown>): void {
    run(this.durable.commit(entries, notes))
    for (const { stream, first, facts } of entries)
      for (const [i, fact] of facts.entries()) this.#history.write(this.#station, stream, first + i, fact)
  }

  #truncate(stream: number, last: number): void {
    const kept = [...this.durable.read(stream, 0, last)]
    run(this.durable.remove(stream, []))
    run(this.durable.commit([{ stream, first: 1, facts: kept }], new Map()))
  }

  #operate(owner: Owner, what: string, apply: () => void): Promise<void> {
    const operation: Operation = { apply, isOver: false }
    this.#underWay.add(operation)
    const fault = this.#faults.ofDisk(this.#station)
    return new Promise((resolve, reject) => {
      const answer = (error?: Error): void => {
        if (fault === 'mute') return
        this.#scheduler.at(0, `disk ${what} answered`, () => (error ? reject(error) : resolve()), owner)
      }
      const finish = (): void => {
        if (operation.isOver) return
        operation.isOver = true
        this.#underWay.delete(operation)
        if (fault === 'full') return answer(new Injected('no space left on device'))
        operation.apply()
        answer(fault === 'unconfirmed' ? new Injected('the flush was not confirmed') : undefined)
      }
      this.#scheduler.at(this.#faults.diskMs(this.#station), `disk ${what}`, finish, WORLD)
    })
  }
}

/** The store in memory does what it is asked before it returns. */
const run = (done: Promise<void>): void => {
  done.catch((error: unknown) => {
    throw error
  })
}
