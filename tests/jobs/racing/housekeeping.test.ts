import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Housekeeping, type HousekeepingPorts } from '../../../src/jobs/racing/housekeeping.ts'

const ENDED_AT = 1_000_000
const round = {
  id: 7,
  phase: 'settled',
  factCount: 3,
  opened: { track: 'main', endsAt: ENDED_AT },
  receipts: new Map(),
}

let now: number
let isCounterBusy: boolean
let retired: number[]
let housekeeping: Housekeeping

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  now = ENDED_AT + 5_000
  isCounterBusy = false
  retired = []
  const ports = {
    racing: {
      rounds: () => (retired.length > 0 ? [] : [round]),
      round: () => round,
      current: () => undefined,
      resolveHandOvers: async () => [],
      forgetOldKeys: async () => {},
      retire: async (id: number) => {
        retired.push(id)
        return true
      },
    },
    ledger: { isComplete: () => true, unverified: () => [], firstMissing: () => undefined, forget: () => {} },
    outboxes: {
      persist: { position: () => 3, forget: () => {} },
      cache: { position: () => 3, forget: () => {} },
    },
    unreconciled: async () => [],
    addPersist: async () => {},
    settleCacheDebts: async () => {},
    forgotten: async () => {},
    tellReceipts: async () => {},
    watchStation: async () => {},
    isCounterBusy: () => isCounterBusy,
    now: () => now,
    onError: (error: Error) => {
      throw error
    },
  }
  housekeeping = new Housekeeping(ports as unknown as HousekeepingPorts)
  housekeeping.start()
})
afterEach(async () => {
  await housekeeping.stop()
  vi.useRealTimers()
})

/** One look at everything. */
const second = async () => {
  vi.advanceTimersByTime(1_000)
  await delay(20)
}

it('hands a settled round over when Postgres has all of it', async () => {
  await second()
  expect(retired).toEqual([7])
})

it('leaves it while the counter is busy, and hands it over when that is over', async () => {
  isCounterBusy = true
  await second()
  expect(retired).toEqual([])
  isCounterBusy = false
  await second()
  expect(retired).toEqual([7])
})

it('hands it over a minute after its race however busy the counter is', async () => {
  isCounterBusy = true
  now = ENDED_AT + 59_999
  await second()
  expect(retired).toEqual([])
  now = ENDED_AT + 60_000
  await second()
  expect(retired).toEqual([7])
})
