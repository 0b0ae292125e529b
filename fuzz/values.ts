import fc, { type Arbitrary } from 'fast-check'
import type { Schema } from './document.ts'

// Values to ask with: as a schema has them, nearly so, and not at all.

/** Stands for something that exists when the request is sent, such as the third receipt that was sold. */
export const known = (what: Known, index: number): string => `${MARK}${what}:${index}${MARK}`
const MARK = '\uE000'
export const KNOWN = /\uE000(receipt|round|user):(\d+)\uE000/g
export type Known = 'receipt' | 'round' | 'user'
const knownOne = (...what: Known[]): Arbitrary<string> =>
  fc.tuple(fc.constantFrom(...what), fc.nat(50)).map(([one, index]) => known(one, index))

/** It is nowhere in a page of ours, so a page that has it took it from a request. */
export const MARKUP = '<galop-markup'
const HTML = [
  `"><script>alert(1)</script>${MARKUP}>`,
  `'${MARKUP} onload=alert(1)>`,
  `</title></style>${MARKUP}>`,
  `\${7*7}{{7*7}}${MARKUP}/>`,
]
const TEXTS = [
  '',
  ' ',
  '0',
  '-1',
  '01',
  '1e3',
  '0x10',
  '1.5',
  '999999999999999',
  '9'.repeat(16),
  '9'.repeat(400),
  'NaN',
  'null',
  'undefined',
  'true',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '\0',
  'a\0b',
  '\r\nX-Injected: yes',
  '../../etc/passwd',
  "'; drop table receipts; --",
  '1 or 1=1',
  '$where',
  '\ud800',
  '\u202Eabc',
  '\uFEFF',
  'İı',
  '👩‍👩‍👧‍👦'.repeat(20),
  'é'.repeat(5_000),
  'x'.repeat(4_000),
  '0001-01-01',
  '9999-12-31',
  '2024-02-30',
  '2026-01-05',
  'main',
]
export const oddText = fc.oneof(
  fc.constantFrom(...TEXTS),
  fc.constantFrom(...HTML),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  knownOne('receipt', 'round', 'user'),
)
const oddNumber = fc.oneof(
  fc.constantFrom(0, -0, -1, 1e-300, 5e-324, 1e300, 2 ** 31, 2 ** 53, -(2 ** 53), 0.1, 1e21, 99, 1_000_001),
  fc.double({ noNaN: true }),
  fc.maxSafeInteger(),
)
/** Any value of JSON, among them such as reach for what an object inherits. */
export const oddValue: Arbitrary<unknown> = fc.oneof(
  oddText,
  oddNumber,
  fc.constantFrom(null, true, false, [], {}, [[]], [null], { $ne: '' }),
  fc.constantFrom('__proto__', 'constructor', 'prototype', 'length', 'toString').map(
    // As JSON brings it: a member of its own.
    (key) => JSON.parse(`{${JSON.stringify(key)}:{"role":"admin","polluted":true}}`) as unknown,
  ),
  fc.jsonValue({ maxDepth: 3 }),
  fc
    .integer({ min: 1, max: 300 })
    .map((depth) => JSON.parse('['.repeat(depth) + ']'.repeat(depth)) as unknown),
)

/** What makes sense under a name, so that some requests get through to where the work is done. */
const SENSE: Readonly<Record<string, Arbitrary<unknown>>> = {
  number: fc.integer({ min: 1, max: 6 }),
  value: fc.oneof(fc.integer({ min: 100, max: 20_000 }), fc.constantFrom(100, 1_000_000)),
  coeff: fc.constantFrom(2.5, 4, 5.5, 8, 10, 12.57),
  name: fc.constantFrom('Cheval 1', 'Cheval 2', 'caisse', 'admin', 'nobody', 'new.one', 'a-b_c'),
  user_id: fc.integer({ min: 1, max: 4 }),
  id: knownOne('receipt', 'receipt', 'round', 'user'),
  searchId: knownOne('receipt'),
  date: fc.constantFrom('2026-01-05', '2026-11-21', '1999-12-31', '9999-12-30'),
  track: fc.constant('main'),
  page: fc.integer({ min: 1, max: 5 }),
}

/** Values of a schema; now and then one that it does not take, anywhere in it. */
export const nearly = (schema: Schema, name = '', errorsIn = 14): Arbitrary<unknown> => {
  const sense = SENSE[name]
  const right = sampleOf(schema, errorsIn)
  return fc.oneof(
    { weight: errorsIn - 1, arbitrary: sense ? fc.oneof({ weight: 12, arbitrary: sense }, right) : right },
    { weight: 1, arbitrary: oddValue },
  )
}

const sampleOf = (schema: Schema, errorsIn: number): Arbitrary<unknown> => {
  const { minimum = -1_000, maximum = 1_000_000 } = schema
  if (schema.const !== undefined) return fc.constant(schema.const)
  if (schema.enum) return fc.constantFrom(schema.enum[0], schema.enum[0], ...schema.enum)
  if (schema.anyOf) return fc.oneof(...schema.anyOf.map((one) => sampleOf(one, errorsIn)))
  switch (schema.type) {
    case 'object':
      return objectOf(schema, errorsIn)
    case 'array':
      return fc.array(nearly(schema.items ?? {}, '', errorsIn), {
        minLength: schema.minItems ?? 0,
        maxLength: Math.max(schema.minItems ?? 0, 2),
      })
    case 'integer':
      return fc.integer({ min: minimum, max: Math.max(minimum, maximum) })
    case 'number':
      return fc.oneof(fc.integer({ min: minimum, max: maximum }), oddNumber)
    case 'boolean':
      return fc.boolean()
    case 'null':
      return fc.constant(null)
    case 'string':
      return textOf(schema)
    default:
      return oddValue
  }
}

const textOf = ({ pattern, minLength = 0, maxLength = 60 }: Schema): Arbitrary<string> =>
  pattern === undefined
    ? fc.string({ minLength, maxLength: Math.max(minLength, Math.min(maxLength, 60)) })
    : fc.stringMatching(new RegExp(pattern))

const objectOf = (schema: Schema, errorsIn: number): Arbitrary<unknown> => {
  const members = Object.entries(schema.properties ?? {}).map(([name, one]) => {
    const isRequired = schema.required?.includes(name) ?? false
    return fc.tuple(
      fc.constant(name),
      nearly(one, name, errorsIn),
      fc.nat(99).map((chance) => chance < (isRequired ? 98 : 25)),
    )
  })
  const more = fc.array(fc.tuple(oddText, oddValue), { maxLength: 1 })
  return fc
    .tuple(fc.tuple(...members), fc.nat(20), more)
    .map(([own, chance, others]) =>
      Object.fromEntries([
        ...own.filter(([, , isThere]) => isThere).map(([name, value]) => [name, value] as const),
        ...(chance === 0 ? others : []),
      ]),
    )
}
