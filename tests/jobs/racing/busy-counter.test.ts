import { performance } from 'node:perf_hooks'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { BusyCounter } from '../../../src/jobs/racing/busy-counter.ts'

/** What the process did so far. */
let idle: number
let active: number
let counter: BusyCounter

beforeEach(() => {
  idle = 0
  active = 0
  vi.spyOn(performance, 'eventLoopUtilization').mockImplementation((now, before) =>
    now && before
      ? {
          idle: now.idle - before.idle,
          active: now.active - before.active,
          utilization: (now.active - before.active) / (now.idle - before.idle + now.active - before.active),
        }
      : { idle, active, utilization: 0 },
  )
  counter = new BusyCounter()
})
afterEach(() => {
  vi.restoreAllMocks()
})

const pass = (ms: number, share: number, facts: number): void => {
  idle += ms * (1 - share)
  active += ms * share
  for (let n = 0; n < facts; n++) counter.heard()
}

describe('a counter', () => {
  it('is busy while many facts come and the process is at work', () => {
    expect(counter.isBusy()).toBe(false)
    pass(100, 0.4, 50)
    expect(counter.isBusy()).toBe(true)
  })

  it('is quiet however much the process does, where few facts come', () => {
    pass(100, 1, 49)
    expect(counter.isBusy()).toBe(false)
  })

  it('is quiet however many facts come, where the process has time left', () => {
    pass(100, 0.2, 5_000)
    expect(counter.isBusy()).toBe(false)
  })

  it('is judged anew for each window, and by the last one in between', () => {
    pass(100, 0.9, 1_000)
    expect(counter.isBusy()).toBe(true)
    pass(40, 0.9, 0)
    expect(counter.isBusy()).toBe(true)
    pass(20, 0.9, 0)
    expect(counter.isBusy()).toBe(false)
  })

  it('is busy from as many facts on as it was told', () => {
    counter = new BusyCounter(10)
    pass(1_000, 0.5, 10)
    expect(counter.isBusy()).toBe(true)
  })
})
