// The way to the simulated Postgres and back, and what can happen on it.
//   Y1. A question that was cut before its commit was asked for changed nothing.
//   Y2. A commit that was asked for happens, though whoever asked is dead or was told that the line is down.
//   Y3. Rows that a transaction is about to leave changed are locked until it has ended.
import { isPassing } from '../src/db/postgres.ts'
import type { Chance } from './chance.ts'
import type { Faults } from './faults.ts'
import { Injected } from './injected.ts'
import { type Owner, type Scheduler, WORLD } from './scheduler.ts'

/** Asks for one transaction. `rounds` are those whose rows it locks, or waits for. */
export type Ask = <T>(what: string, transaction: () => T, locks?: Locks) => Promise<T>
export type Locks = { readonly takes?: readonly number[]; readonly awaits?: readonly number[] }

/** A transaction of a product that gives up after this long: it is rolled back, unless its commit was asked for. */
const TRANSACTION_LIMIT_MS = 40_000

export class PostgresLine {
  readonly #scheduler: Scheduler
  readonly #chance: Chance
  readonly #faults: Faults
  /** How many transactions hold rows of a round, with their commit on its way. */
  readonly #held = new Map<number, number>()
  #underWay = 0

  constructor(scheduler: Scheduler, chance: Chance, faults: Faults) {
    this.#scheduler = scheduler
    this.#chance = chance
    this.#faults = faults
  }

  /** Whether no transaction is under way. */
  get isIdle(): boolean {
    return this.#underWay === 0
  }

  /** The line of one process. */
  connect(owner: Owner): Ask {
    return (what, transaction, locks = {}) =>
      new Promise((resolve, reject) => {
        this.#ask(owner, what, transaction, locks, resolve, reject)
      })
  }

  #ask<T>(
    owner: Owner,
    what: string,
    transaction: () => T,
    { takes = [], awaits = [] }: Locks,
    resolve: (answer: T) => void,
    reject: (error: Error) => void,
  ): void {
    const faults = this.#faults
    this.#underWay++
    const tell = (run: () => void): void => {
      this.#underWay--
      this.#scheduler.at(faults.postgresMs(), `postgres ${what} answered`, run, owner)
    }
    const refuse = (error: Error): void => tell(() => reject(error))
    const began = this.#scheduler.nowMs

    // Its statements: the process must be there, and the line up, until the commit is asked for.
    const work = (): void => {
      if (!owner.isAlive) return void this.#underWay--
      if (this.#scheduler.nowMs - began > TRANSACTION_LIMIT_MS)
        return refuse(new Injected('the transaction was given up', 'CONNECTION_SILENT'))
      const state = faults.postgres
      if (state === 'away') return refuse(cut('ECONNREFUSED'))
      if (state === 'frozen' || awaits.some((id) => this.#held.has(id)))
        return void this.#scheduler.at(this.#chance.between(20, 200), `postgres ${what} waits`, work, WORLD)
      const fault = faults.ofTransaction(what)
      if (fault === 'cut before') return refuse(cut('CONNECTION_CLOSED'))
      if (fault === 'refused') return refuse(new Injected('the rows are refused', '23514'))
      for (const id of takes) this.#held.set(id, (this.#held.get(id) ?? 0) + 1)
      const isCut = fault === 'cut after'
      if (isCut) {
        refuse(cut('CONNECTION_CLOSED', true))
        this.#underWay++
      }
      this.#scheduler.at(faults.commitMs(isCut), `postgres ${what} commits`, () => commit(isCut), WORLD)
    }
    const commit = (isCut: boolean): void => {
      if (faults.postgres === 'frozen')
        return void this.#scheduler.at(
          this.#chance.between(20, 200),
          `postgres ${what} thaws`,
          () => commit(isCut),
          WORLD,
        )
      for (const id of takes) this.#release(id)
      let answer: T
      try {
        answer = transaction()
      } catch (error) {
        return isCut ? void this.#underWay-- : refuse(error as Error)
      }
      if (isCut) this.#underWay--
      else tell(() => resolve(answer))
    }
    this.#scheduler.at(faults.postgresMs(), `postgres ${what}`, work, WORLD)
  }

  #release(id: number): void {
    const left = this.#held.get(id)! - 1
    if (left === 0) this.#held.delete(id)
    else this.#held.set(id, left)
  }
}

/** The line was cut; `isDoubtful` where the commit had been asked for. */
const cut = (code: string, isDoubtful = false): Injected =>
  Object.assign(new Injected('the connection was cut', code), { isDoubtful })

/** Whether nothing was changed, for certain. */
export const isCertainlyUndone = (error: unknown): boolean =>
  isPassing(error) && error instanceof Injected && !(error as { isDoubtful?: boolean }).isDoubtful
