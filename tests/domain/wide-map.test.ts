import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { counted, type PartOf, scattered, WideMap } from '../../src/domain/wide-map.ts'

const kinds: [string, PartOf][] = [
  ['scattered', scattered],
  ['counted', counted],
]
/** Some that share a part, some that do not, of either kind. */
const someKey = fc.oneof(fc.nat({ max: 12 }), fc.nat({ max: 12_000 }), fc.maxSafeNat())
const someChange = fc.oneof(
  { weight: 6, arbitrary: fc.record({ what: fc.constant('set' as const), key: someKey, value: fc.nat() }) },
  { weight: 4, arbitrary: fc.record({ what: fc.constant('delete' as const), key: someKey }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('clear' as const), key: fc.constant(0) }) },
)
const byKey = ([one]: [number, unknown], [other]: [number, unknown]): number => one - other

describe.each(kinds)('a wide map of %s keys', (_, partOf) => {
  it('holds what a Map holds after the same changes', () => {
    fc.assert(
      fc.property(fc.array(someChange, { maxLength: 200 }), fc.array(someKey), (changes, others) => {
        const wide = new WideMap<number>(partOf)
        const plain = new Map<number, number>()
        for (const change of changes) {
          if (change.what === 'set') {
            wide.set(change.key, change.value)
            plain.set(change.key, change.value)
          } else if (change.what === 'delete') {
            wide.delete(change.key)
            plain.delete(change.key)
          } else {
            wide.clear()
            plain.clear()
          }
          expect(wide.size).toBe(plain.size)
        }
        for (const key of [...others, ...changes.map((change) => change.key)]) {
          expect(wide.get(key)).toBe(plain.get(key))
          expect(wide.has(key)).toBe(plain.has(key))
        }
        expect([...wide].sort(byKey)).toEqual([...plain].sort(byKey))
        expect([...wide.keys()]).toEqual([...wide].map(([key]) => key))
        expect([...wide.values()]).toEqual([...wide].map(([, value]) => value))
      }),
    )
  })

  it('keeps a million entries in parts of a few thousand', () => {
    const parts = new Map<number, number>()
    for (let key = 0; key < 1_000_000; key++) parts.set(partOf(key), (parts.get(partOf(key)) ?? 0) + 1)
    expect(Math.max(...parts.values())).toBeLessThan(5_000)
  })

  it('is another one where one value differs', () => {
    const of = (last: number): WideMap<number> => {
      const map = new WideMap<number>(partOf)
      for (let key = 0; key < 10_000; key++) map.set(key, key === 9_999 ? last : key)
      return map
    }
    expect(of(1)).toEqual(of(1))
    expect(of(1)).not.toEqual(of(2))
  })
})

it('walks counted keys in their order', () => {
  const map = new WideMap<number>(counted)
  for (let key = 1; key <= 20_000; key++) map.set(key, key)
  for (let key = 1; key <= 9_000; key++) map.delete(key)
  expect([...map.keys()]).toEqual(Array.from({ length: 11_000 }, (_, i) => 9_001 + i))
})
