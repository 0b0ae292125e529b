import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { printedNumber, receiptNumbers } from '../../../src/domain/racing/receipt-number.ts'

const KEYS = ['00'.repeat(32), '11'.repeat(32), 'c3'.repeat(32)]
const MILLION = 1_000_000
const stations = fc.constantFrom('01', '07', '10', '99')
const keys = fc.constantFrom(...KEYS)
// Tables are made once per key and number of digits: the property tests share them.
const numbering = new Map<string, (counter: number) => number>()
const idOf = (station: string, key: string, counter: number): number => {
  const name = `${station}/${key}`
  if (!numbering.has(name)) numbering.set(name, receiptNumbers(station, key))
  return numbering.get(name)!(counter)
}

describe('receipt numbers', () => {
  it.each(KEYS)('never repeat over the whole million and the next 100,000, under the key %s', (key) => {
    const numbers = receiptNumbers('01', key)
    const six = new Uint8Array(MILLION)
    for (let counter = 0; counter < MILLION; counter++) six[numbers(counter) - 1_000_000]!++
    expect(six.every((times) => times === 1)).toBe(true)
    const seven = new Set<number>()
    for (let counter = MILLION; counter < MILLION + 100_000; counter++) {
      const id = numbers(counter)
      if (id < 10_000_000 || id > 19_999_999) throw new Error(`${id} has not seven digits after station 1`)
      seven.add(id)
    }
    expect(seven.size).toBe(100_000)
  })

  it('are the station and six digits, and grow by a digit when the million is used up', () => {
    fc.assert(
      fc.property(stations, keys, fc.nat({ max: 10 * MILLION }), (station, key, counter) => {
        const printed = printedNumber(station, idOf(station, key, counter))
        expect(printed).toMatch(counter < MILLION ? /^\d{8}$/ : /^\d{9}$/)
        expect(printed.slice(0, 2)).toBe(station)
      }),
      { numRuns: 60 },
    )
    expect(printedNumber('01', receiptNumbers('01', KEYS[1]!)(11 * MILLION))).toMatch(/^01\d{8}$/)
  })

  it('keep their zeros in print, and give the same id when they are typed in again', () => {
    expect(printedNumber('01', 1034521)).toBe('01034521')
    expect(printedNumber('01', 1000000)).toBe('01000000')
    expect(printedNumber('10', 10000042)).toBe('10000042')
    expect(printedNumber('007', 7000042)).toBe('007000042')
    fc.assert(
      fc.property(stations, keys, fc.nat({ max: 2 * MILLION }), (station, key, counter) => {
        const id = idOf(station, key, counter)
        expect(Number(printedNumber(station, id))).toBe(id)
      }),
      { numRuns: 60 },
    )
  })

  it('of another station are printed with that one’s zeros while they have six digits', () => {
    expect(printedNumber('01', 2034521)).toBe('02034521')
  })

  it('are the same for the same counter and key, and others under another key', () => {
    const one = receiptNumbers('01', KEYS[0]!)
    const same = receiptNumbers('01', KEYS[0]!)
    const other = receiptNumbers('01', KEYS[1]!)
    const counters = Array.from({ length: 1_000 }, (_, i) => i * 997)
    expect(counters.map(same)).toEqual(counters.map(one))
    const shared = counters.filter((counter) => one(counter) === other(counter))
    expect(shared.length).toBeLessThan(5)
  })

  it('tell a reader nothing about how many were sold: neighbours are strangers', () => {
    const numbers = receiptNumbers('01', KEYS[2]!)
    const steps = Array.from({ length: 1_000 }, (_, i) => numbers(i + 1) - numbers(i))
    const up = steps.filter((step) => step > 0).length
    expect(new Set(steps).size).toBeGreaterThan(990)
    expect(up).toBeGreaterThan(400)
    expect(up).toBeLessThan(600)
  })

  // These ids are on paper in people's pockets.
  it('are what they always were', () => {
    const numbers = receiptNumbers('01', '11'.repeat(32))
    expect([0, 1, 2, 3, 999_999, 1_000_000, 10_999_999, 11_000_000].map(numbers)).toEqual([
      1699663, 1175084, 1546151, 1263277, 1828845, 11342402, 12579470, 107098520,
    ])
  })

  it.each(['00', '', '1a', '-1', '1.5'])('are not made for the station "%s"', (station) => {
    expect(() => receiptNumbers(station, KEYS[0]!)).toThrow(RangeError)
  })
})
