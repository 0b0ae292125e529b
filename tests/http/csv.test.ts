import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { type Cell, csvLine, sendCsv } from '../../src/http/csv.ts'

describe('a line of a table', () => {
  it.each<[string, Cell[], string]>([
    ['numbers, amounts and nothing', [1, { amount: 12.5 }, { amount: -3 }, null], '1,12.50,-3.00,'],
    [
      'commas, quotes and line ends in quotes',
      ['a,b', 'say "no"', 'two\r\nlines'],
      '"a,b","say ""no""","two\r\nlines"',
    ],
    [
      'what looks like a formula as text',
      ['=1+1', '+33', '-x', '@sum', '\t=1'],
      "'=1+1,'+33,'-x,'@sum,'\t=1",
    ],
    ['a formula with a comma', ['=cmd|"/c calc"!A1,2'], '"\'=cmd|""/c calc""!A1,2"'],
    ['other alphabets as they are', ['Élodie', 'Zoë'], 'Élodie,Zoë'],
  ])('C1: writes %s', (_, cells, line) => {
    expect(csvLine(cells)).toBe(`${line}\r\n`)
  })
})

describe('a table that is sent', () => {
  const serve = (pages: () => AsyncGenerator<Cell[][]>) =>
    new Hono()
      .get('/', (c) => sendCsv(c, 'a.csv', ['one', 'two'], pages()))
      .onError((error, c) => c.text(error.message, 503))

  it('C2: is made page by page, as fast as it is read', async () => {
    let made = 0
    const answer = await serve(async function* () {
      for (; made < 100; made++) yield [[made, 'x']]
    }).request('/')
    expect(answer.headers.get('content-disposition')).toBe('attachment; filename="a.csv"')
    expect(answer.headers.get('content-type')).toBe('text/csv; charset=utf-8')
    const reader = answer.body!.getReader()
    const first = new TextDecoder('utf-8', { ignoreBOM: true }).decode((await reader.read()).value)
    expect(first).toBe('\uFEFFone,two\r\n0,x\r\n')
    expect(made).toBeLessThan(5)
    await reader.cancel()
  })

  it('has its head even where there are no rows', async () => {
    const answer = await serve(async function* () {}).request('/')
    expect(await answer.text()).toBe('one,two\r\n')
  })

  it('is a plain refusal where the first page cannot be read', async () => {
    const answer = await serve(async function* () {
      yield await Promise.reject(new Error('away'))
    }).request('/')
    expect([answer.status, await answer.text()]).toEqual([503, 'away'])
  })

  it('breaks off where a later page cannot be read, so that nobody takes it for whole', async () => {
    const answer = await serve(async function* () {
      yield [[1, 2]]
      throw new Error('away')
    }).request('/')
    await expect(answer.text()).rejects.toThrow('away')
  })
})
