import { describe, expect, it } from 'vitest'
import { askedByPage, askedByText } from '../../web/verify/asked.ts'

const LINK = 'http://192.168.1.20:3000/verify?round=12&commitment=ABCDEF'

describe('what is asked of /verify', () => {
  it('is a number, or what a link says, whatever its server is called', () => {
    expect(askedByText(' 12 ', undefined)).toEqual({ round: '12', commitment: undefined })
    expect(askedByText(`${LINK}\n`, undefined)).toEqual({ round: '12', commitment: 'abcdef' })
    expect(askedByText('https://elsewhere.example/v?round=7', undefined)).toEqual({
      round: '7',
      commitment: undefined,
    })
  })

  it('is a text as it stands where that is neither', () => {
    for (const text of ['abc', 'round=12', 'https://galop.example/verify', 'x:'])
      expect(askedByText(text, undefined)).toEqual({ round: text, commitment: undefined })
  })

  it('keeps the commitment for the number that it came with, and for no other', () => {
    const before = askedByPage('?round=12&commitment=ABCDEF')
    expect(before).toEqual({ round: '12', commitment: 'abcdef' })
    expect(askedByText('12', before)).toEqual(before)
    expect(askedByText('13', before)).toEqual({ round: '13', commitment: undefined })
    expect(askedByPage('?lang=fr')).toBe(undefined)
  })
})
