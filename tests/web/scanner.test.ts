import { describe, expect, it } from 'vitest'
import { createScanner, type Heard } from '../../web/station/scanner.ts'

/** Types a text, one key after another with so many milliseconds between. */
const typing = (text: string, gapMs: number): Heard[] => {
  const scanner = createScanner()
  const keys = [...text].map((key) => (key === '⏎' ? 'Enter' : key))
  return keys.map((key, index) => scanner.hear(key, 1_000 + index * gapMs))
}

describe('a scanner', () => {
  it('is known by its speed and the length of what it reads', () => {
    expect(typing('01034521⏎', 5).map(({ read }) => read)).toEqual([...Array(8), '01034521'])
    expect(typing('01034521⏎', 80).some(({ read }) => read !== undefined)).toBe(false)
    expect(typing('3100⏎', 5).some(({ read }) => read !== undefined)).toBe(false)
  })

  it('says where it began, so that what it typed into a field can be taken out again', () => {
    expect(typing('01034521⏎', 5).map(({ begins }) => begins)).toEqual([true, ...Array(8).fill(false)])
  })

  it('is not confused by what was typed by hand before, nor by letters', () => {
    const scanner = createScanner()
    scanner.hear('3', 0)
    scanner.hear('5', 400)
    const read = [...'01034521'].map((key, index) => scanner.hear(key, 900 + index * 4))
    expect(read[0]!.begins).toBe(true)
    expect(scanner.hear('Enter', 936).read).toBe('01034521')
    expect(typing('0103a4521⏎', 5).some(({ read }) => read !== undefined)).toBe(false)
  })

  it('may hold Shift for its digits, as on a French keyboard', () => {
    const scanner = createScanner()
    const keys = [...'01034521'].flatMap((digit) => ['Shift', digit])
    const heard = [...keys, 'Enter'].map((key, index) => scanner.hear(key, 1_000 + index * 4))
    expect(heard.map(({ read }) => read)).toEqual([...Array(16), '01034521'])
    expect(heard.filter(({ begins }) => begins)).toEqual([heard[1]])
  })

  it('reads the other code of a receipt whole, and never its last digits', () => {
    const link = 'https://galop.example/verify?round=12&commitment=0a1b01034521'
    const heard = typing(`${link}⏎`, 5)
    expect(heard.at(-1)!.read).toBe(link)
    expect(heard.slice(0, -1).some(({ read }) => read !== undefined)).toBe(false)
    expect(heard.map(({ begins }) => begins).lastIndexOf(true)).toBe(0)
    // A slow machine hears it with pauses.
    expect(typing(`${link}⏎`, 200).at(-1)!.read).toBe(link)
  })

  it('takes an Enter that comes later for a key of its own', () => {
    const scanner = createScanner()
    for (const [index, key] of [...'01034521'].entries()) scanner.hear(key, index * 4)
    expect(scanner.hear('Enter', 500).read).toBe(undefined)
  })
})
