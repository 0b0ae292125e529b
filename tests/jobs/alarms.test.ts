import { describe, expect, it } from 'vitest'
import { type AlarmEvent, AlarmWatch, type Condition, type Look } from '../../src/jobs/alarms.ts'
import { type MachineOptions, MachineWatch } from '../../src/jobs/machine.watch.ts'

const condition = (code: string, id = code, message = 'so it is'): Condition => ({ code, id, message })

const watched = () => {
  const told: AlarmEvent[] = []
  const errors: unknown[] = []
  const world = { now: 1_000, look: { found: [], unknown: [] } as Look | Error }
  const watch = new AlarmWatch({
    look: async () => {
      if (world.look instanceof Error) throw world.look
      return world.look
    },
    now: () => world.now,
    tell: (event) => told.push(event),
    onError: (error) => errors.push(error),
  })
  const look = async (at: number, found: Condition[], unknown: string[] = []) => {
    Object.assign(world, { now: at, look: { found, unknown } })
    await watch.look()
  }
  return { watch, told, errors, world, look }
}

describe('alarms', () => {
  it('Q1: begin once, keep the time of their beginning, say the latest of themselves, and end once', async () => {
    const { watch, told, look } = watched()
    await look(1_000, [condition('LATE', 'LATE', '3 receipts')])
    await look(2_000, [condition('LATE', 'LATE', '5 receipts')])
    expect(await watch.current()).toEqual({
      alarms: [{ code: 'LATE', id: 'LATE', message: '5 receipts', since: 1_000 }],
      checkedAt: 2_000,
    })
    await look(3_000, [])
    await look(4_000, [])
    expect(told.map(({ event }) => event)).toEqual(['alarm_began', 'alarm_ended'])
    expect(told[1]).toMatchObject({ endedAt: 3_000, alarm: { since: 1_000, message: '5 receipts' } })
    expect((await watch.current()).alarms).toEqual([])
  })

  it('of one code are told apart by their ids', async () => {
    const { watch, told, look } = watched()
    await look(1, [condition('DISCREPANCY', 'DISCREPANCY/1'), condition('DISCREPANCY', 'DISCREPANCY/2')])
    await look(2, [condition('DISCREPANCY', 'DISCREPANCY/2')])
    expect(told.map(({ event, alarm }) => [event, alarm.id])).toEqual([
      ['alarm_began', 'DISCREPANCY/1'],
      ['alarm_began', 'DISCREPANCY/2'],
      ['alarm_ended', 'DISCREPANCY/1'],
    ])
    expect((await watch.current()).alarms).toHaveLength(1)
  })

  it('Q2: stay while nobody can look', async () => {
    const { told, errors, world, watch, look } = watched()
    await look(1, [condition('FAILED_JOBS')])
    await look(2, [], ['FAILED_JOBS'])
    world.look = new Error('no')
    await watch.look()
    expect(told).toHaveLength(1)
    expect(errors).toHaveLength(1)
    await look(4, [])
    expect(told).toHaveLength(2)
  })

  it('are looked at when they are asked for the first time', async () => {
    const { watch, world } = watched()
    world.look = { found: [condition('DISK')], unknown: [] }
    expect((await watch.current()).alarms).toMatchObject([{ code: 'DISK' }])
  })
})

describe('the machine', () => {
  const MB = 1_048_576
  const machine = (changes: Partial<MachineOptions> = {}) => {
    const world = { now: 5_000_000, steadyMs: 100, free: 600 * MB, ahead: 0, uncertain: 0 }
    const watch = new MachineWatch({
      freeBytes: async () => world.free,
      clockAhead: async () => ({ aheadMs: world.ahead, uncertainMs: world.uncertain }),
      now: () => world.now,
      steadyMs: () => world.steadyMs,
      bounds: { freeBytes: 500 * MB, clockMs: 2_000 },
      onError: () => {},
      ...changes,
    })
    const pass = (ms: number, setBy = 0) => {
      world.steadyMs += ms
      world.now += ms + setBy
    }
    const codes = async () => (await watch.look()).found.map(({ code }) => code)
    return { watch, world, pass, codes }
  }

  it('is well with room on its disk and a clock that goes right', async () => {
    const { codes, pass } = machine()
    expect(await codes()).toEqual([])
    pass(5_000, 1_999)
    expect(await codes()).toEqual([])
  })

  it('has too little room', async () => {
    const { world, watch } = machine()
    world.free = 499.9 * MB
    expect((await watch.look()).found).toMatchObject([
      { code: 'DISK', message: 'The disk of the data directory has 499 MB left; make room.' },
    ])
  })

  it.each([
    ['forward', 3_600_000, '3600.0 s'],
    ['back', -2_500, '2.5 s'],
  ])('had its clock set %s, and says so for ten minutes', async (way, by, length) => {
    const { watch, codes, pass } = machine()
    await codes()
    pass(5_000, by)
    expect((await watch.look()).found[0]?.message).toContain(`set ${way} by ${length}`)
    pass(599_000)
    expect(await codes()).toEqual(['CLOCK_JUMPED'])
    pass(2_000)
    expect(await codes()).toEqual([])
  })

  it('has another time than Postgres, by more than the answer may be late', async () => {
    const { world, codes } = machine()
    Object.assign(world, { ahead: -2_600, uncertain: 700 })
    expect(await codes()).toEqual([])
    world.uncertain = 500
    expect(await codes()).toEqual(['CLOCK_DIFFERS'])
  })

  it('is not judged by what does not answer', async () => {
    const { watch } = machine({ clockAhead: () => Promise.reject(new Error('away')) })
    expect(await watch.look()).toEqual({ found: [], unknown: ['CLOCK_DIFFERS'] })
  })
})
