// Time and chance of the whole process, so that the product's modules, which ask the globals for them, get the run's.
//   V1. Whatever would bring in the machine's own time or chance either belongs to the run or throws.
import process from 'node:process'
import type { Scheduler, Task } from './scheduler.ts'

/** The machine's own, for those who drive the run and tell of it. */
export const machine = {
  setImmediate: globalThis.setImmediate,
  setTimeout: globalThis.setTimeout,
  nowMs: performance.now.bind(performance),
}

/** What the globals ask. */
export type TimeOfRun = {
  readonly scheduler: Scheduler
  /** Milliseconds since 1970, as the clock of whoever runs at present shows them. */
  readonly dayMs: () => number
  /** The share of its time that the process was at work, as it would be measured. */
  readonly busyShare: () => number
}

let run: TimeOfRun | undefined

export const setTimeOfRun = (time: TimeOfRun | undefined): void => {
  run = time
}

const present = (): TimeOfRun => {
  if (!run) throw new Error('a timer was asked for outside of a run')
  return run
}

const later = (fn: (...args: unknown[]) => void, delayMs: unknown, args: unknown[]): Task =>
  present().scheduler.at(Math.max(1, Number(delayMs) || 0), 'timer', () => fn(...args), undefined, 'timer')

type Interval = { task: Task | undefined; unref(): unknown }

const every = (fn: (...args: unknown[]) => void, delayMs: unknown, ...args: unknown[]): Interval => {
  const interval: Interval = { task: undefined, unref: () => interval }
  const arm = (): void => {
    interval.task = later(
      () => {
        arm()
        fn(...args)
      },
      delayMs,
      [],
    )
  }
  arm()
  return interval
}

const cancel = (handle: unknown): void => {
  const one = handle as Task | Interval | undefined | null
  if (!one) return
  const task = 'task' in one ? one.task : one
  if (task && run) run.scheduler.cancel(task)
}

const forbidden = (what: string) => (): never => {
  throw new Error(`${what} was asked for within a run: its chance is not the seed's`)
}

/** Replaces the globals. Once for the process, before the first run. */
export const installGlobals = (): void => {
  Object.assign(globalThis, {
    setTimeout: (fn: () => void, delayMs?: unknown, ...args: unknown[]) => later(fn, delayMs, args),
    clearTimeout: cancel,
    setInterval: every,
    clearInterval: cancel,
    setImmediate: (fn: (...args: unknown[]) => void, ...args: unknown[]) =>
      present().scheduler.at(0, 'immediate', () => fn(...args), undefined, 'immediate'),
    clearImmediate: cancel,
  })
  const utilization = () => {
    const share = present().busyShare()
    const { nowMs } = present().scheduler
    return { idle: nowMs * (1 - share), active: nowMs * share, utilization: share }
  }
  const replace = (target: object, name: string, value: unknown): void => {
    Object.defineProperty(target, name, { value, configurable: true, writable: true })
  }
  replace(performance, 'now', () => (run ? run.scheduler.nowMs : machine.nowMs()))
  replace(performance, 'eventLoopUtilization', utilization)
  replace(Date, 'now', () => (run ? run.dayMs() : forbidden('Date.now')()))
  replace(Math, 'random', forbidden('Math.random'))
  replace(crypto, 'randomUUID', forbidden('crypto.randomUUID'))
  replace(crypto, 'getRandomValues', forbidden('crypto.getRandomValues'))
}

/** Hears of promises that were rejected and that nobody listened to: in production each ends the process. */
export const onUnheard = (hear: (reason: unknown) => void): void => {
  process.on('unhandledRejection', hear)
}
