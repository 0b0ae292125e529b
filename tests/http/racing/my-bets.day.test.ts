import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dayIn, nameOfZone } from '../../../src/domain/day.ts'

const HOUR_MS = 3_600_000
const iso = (day: ReturnType<typeof dayIn>) =>
  day && [new Date(day.from).toISOString(), new Date(day.to).toISOString()]

describe('a day where the shop stands', () => {
  it.each([
    ['2026-01-05', 'UTC', '2026-01-05T00:00:00.000Z', '2026-01-06T00:00:00.000Z'],
    ['2026-01-05', 'America/Port-au-Prince', '2026-01-05T05:00:00.000Z', '2026-01-06T05:00:00.000Z'],
    ['2026-07-05', 'America/Port-au-Prince', '2026-07-05T04:00:00.000Z', '2026-07-06T04:00:00.000Z'],
    ['2026-01-05', 'Asia/Kathmandu', '2026-01-04T18:15:00.000Z', '2026-01-05T18:15:00.000Z'],
    ['2026-01-05', 'Pacific/Kiritimati', '2026-01-04T10:00:00.000Z', '2026-01-05T10:00:00.000Z'],
    ['2026-01-05', 'Pacific/Niue', '2026-01-05T11:00:00.000Z', '2026-01-06T11:00:00.000Z'],
    ['2024-02-29', 'Europe/Paris', '2024-02-28T23:00:00.000Z', '2024-02-29T23:00:00.000Z'],
    ['2026-12-31', 'Europe/Paris', '2026-12-30T23:00:00.000Z', '2026-12-31T23:00:00.000Z'],
  ])('%s in %s', (date, zone, from, to) => {
    expect(iso(dayIn(date, zone))).toEqual([from, to])
  })

  it.each([
    // The clocks go forwards: 23 hours.
    ['2026-03-08', 'America/Port-au-Prince', '2026-03-08T05:00:00.000Z', '2026-03-09T04:00:00.000Z'],
    ['2026-03-29', 'Europe/Paris', '2026-03-28T23:00:00.000Z', '2026-03-29T22:00:00.000Z'],
    // And back: 25.
    ['2026-11-01', 'America/Port-au-Prince', '2026-11-01T04:00:00.000Z', '2026-11-02T05:00:00.000Z'],
    ['2026-10-25', 'Europe/Paris', '2026-10-24T22:00:00.000Z', '2026-10-25T23:00:00.000Z'],
    // By half an hour.
    ['2026-04-05', 'Australia/Lord_Howe', '2026-04-04T13:00:00.000Z', '2026-04-05T13:30:00.000Z'],
    // At midnight itself, where the day begins at one o'clock.
    ['2026-04-24', 'Africa/Cairo', '2026-04-23T22:00:00.000Z', '2026-04-24T21:00:00.000Z'],
    ['2026-03-29', 'Asia/Beirut', '2026-03-28T22:00:00.000Z', '2026-03-29T21:00:00.000Z'],
    // At midnight, where the last hour of the day before comes twice.
    ['2026-04-05', 'America/Santiago', '2026-04-05T04:00:00.000Z', '2026-04-06T04:00:00.000Z'],
  ])('%s in %s, when the clocks change', (date, zone, from, to) => {
    expect(iso(dayIn(date, zone))).toEqual([from, to])
  })

  it.each([
    '2026-02-29',
    '2026-13-01',
    '2026-00-10',
    '2026-04-31',
    '2026-1-5',
    'today',
    '',
    '2026-01-05T00:00',
  ])('is none for %s', (date) => {
    expect(dayIn(date, 'UTC')).toBeUndefined()
  })

  it('ends where the next one begins, in every zone and on every day', () => {
    const zones = Intl.supportedValuesOf('timeZone')
    const dates = fc.date({
      min: new Date('2000-01-01T00:00:00Z'),
      max: new Date('2037-12-31T00:00:00Z'),
      noInvalidDate: true,
    })
    const dateOf = (at: number): string => new Date(at).toISOString().slice(0, 10)
    fc.assert(
      fc.property(dates, fc.constantFrom(...zones), (date, zone) => {
        const today = dayIn(dateOf(date.getTime()), zone)!
        const tomorrow = dayIn(dateOf(date.getTime() + 24 * HOUR_MS), zone)!
        expect(today.to).toBe(tomorrow.from)
        expect(today.to - today.from).toBeGreaterThanOrEqual(0)
        expect(today.to - today.from).toBeLessThanOrEqual(26 * HOUR_MS)
      }),
      { numRuns: 1_000 },
    )
  })

  it('is that of the machine where no zone is named', () => {
    expect(dayIn('2026-11-21', undefined)).toEqual(dayIn('2026-11-21', nameOfZone(undefined)))
  })

  it('holds what its clocks show as that date, and nothing else', () => {
    const times = fc.integer({ min: Date.UTC(2012, 0, 1), max: Date.UTC(2037, 0, 1) })
    const zones = Intl.supportedValuesOf('timeZone')
    fc.assert(
      fc.property(times, fc.constantFrom(...zones), (at, timeZone) => {
        const date = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short' }).format(at)
        const day = dayIn(date, timeZone)!
        expect(at).toBeGreaterThanOrEqual(day.from)
        expect(at).toBeLessThan(day.to)
      }),
      { numRuns: 3_000, seed: 2026 },
    )
  })
})
