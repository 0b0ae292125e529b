// Time and turns. Nothing in a run happens but as a task of this scheduler.
//   Z1. Time stands still while a task runs, and passes only from one task to the next.
//   Z2. Between two tasks all promises settle: what a task caused in memory has happened.
//   Z3. Which of the tasks that are due runs next is chance, but one process sees its own timers in the order in which
//       they fall due, and its own immediates in the order in which it asked for them, as programs do.
//   Z4. A task belongs to whoever asked for it. When a process dies its tasks are gone.

import type { Chance } from './chance.ts'

/** Whose tasks these are: a server's process, or one of those that outlive it. */
export type Owner = { readonly name: string; isAlive: boolean }

export type TaskKind = 'timer' | 'immediate' | 'event'

export class Task {
  readonly dueMs: number
  readonly order: number
  readonly kind: TaskKind
  readonly owner: Owner
  readonly label: string
  run: (() => void) | undefined

  constructor(dueMs: number, order: number, kind: TaskKind, owner: Owner, label: string, run: () => void) {
    this.dueMs = dueMs
    this.order = order
    this.kind = kind
    this.owner = owner
    this.label = label
    this.run = run
  }

  /** Programs say this of timers. It means nothing here. */
  unref(): this {
    return this
  }
}

export const WORLD: Owner = { name: 'world', isAlive: true }

export class Scheduler {
  /** Milliseconds since the run began; never goes back. */
  nowMs = 0
  steps = 0
  /** Whose task runs at present. */
  owner: Owner = WORLD
  /** Hears of each task before it runs, and may say that it shall not. */
  beforeStep: (task: Task) => boolean = () => true
  afterStep: (task: Task) => void = () => {}
  readonly #chance: Chance
  readonly #heap: Task[] = []
  readonly #ready: Task[] = []
  #order = 0

  constructor(chance: Chance) {
    this.#chance = chance
  }

  at(delayMs: number, label: string, run: () => void, owner = this.owner, kind: TaskKind = 'event'): Task {
    const due = this.nowMs + (delayMs > 0 ? Math.ceil(delayMs) : 0)
    const task = new Task(due, this.#order++, kind, owner, label, run)
    if (due <= this.nowMs) this.#ready.push(task)
    else this.#push(task)
    return task
  }

  cancel(task: Task): void {
    task.run = undefined
  }

  /** Resolves after a while, for those that outlive servers. */
  pause(delayMs: number, label: string): Promise<void> {
    return new Promise((resolve) => this.at(delayMs, label, resolve))
  }

  /** Time passes, and nobody gets to do anything: the whole machine was busy with something else. */
  stall(ms: number): void {
    this.nowMs += ms
  }

  /** Runs one task. @returns false where there is none left */
  step(): boolean {
    const task = this.#take()
    if (!task) return false
    this.steps++
    this.owner = task.owner
    if (this.beforeStep(task)) task.run!()
    this.afterStep(task)
    return true
  }

  #take(): Task | undefined {
    for (;;) {
      while (this.#heap.length > 0 && this.#heap[0]!.dueMs <= this.nowMs) this.#ready.push(this.#pop())
      if (this.#ready.length === 0) {
        if (this.#heap.length === 0) return undefined
        this.nowMs = this.#heap[0]!.dueMs
        continue
      }
      const index = this.#choose()
      const task = this.#ready[index]!
      const last = this.#ready.pop()!
      if (last !== task) this.#ready[index] = last
      if (task.run && task.owner.isAlive) return task
    }
  }

  #choose(): number {
    const { length } = this.#ready
    if (length === 1) return 0
    let chosen = this.#chance.below(length)
    const { kind, owner } = this.#ready[chosen]!
    if (kind === 'event') return chosen
    for (let i = 0; i < length; i++) {
      const one = this.#ready[i]!
      if (one.kind === kind && one.owner === owner && isBefore(one, this.#ready[chosen]!)) chosen = i
    }
    return chosen
  }

  #push(task: Task): void {
    const heap = this.#heap
    let at = heap.push(task) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!isBefore(task, heap[parent]!)) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = task
  }

  #pop(): Task {
    const heap = this.#heap
    const first = heap[0]!
    const last = heap.pop()!
    if (heap.length === 0) return first
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++
      if (!isBefore(heap[child]!, last)) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = last
    return first
  }
}

const isBefore = (one: Task, other: Task): boolean =>
  one.dueMs < other.dueMs || (one.dueMs === other.dueMs && one.order < other.order)
