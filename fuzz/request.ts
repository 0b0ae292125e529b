import fc, { type Arbitrary } from 'fast-check'
import type { Operation, Parameter } from './document.ts'
import { nearly, oddText, oddValue } from './values.ts'

// Requests of an operation: who asks, what with, and what is odd about how it is sent.

export const ROLES = ['nobody', 'forged', 'alg none', 'expired', 'cashier', 'other cashier', 'admin'] as const
export type Role = (typeof ROLES)[number]

export type Asked = {
  readonly role: Role
  readonly by: 'bearer' | 'cookie'
  readonly method: string
  /** Values of the path's parameters, by name. */
  readonly inPath: Readonly<Record<string, string>>
  /** Put at the end of the path as it is. */
  readonly pathEnd: string
  readonly query: readonly (readonly [name: string, value: string])[]
  /** Put at the end of the query as it is. */
  readonly queryEnd: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: string | undefined
  /** Sent with its length, or in chunks without. */
  readonly isChunked: boolean
}

/** Whether the request goes to the route of its operation: then all that is answered must be in the document. */
export const isPlain = (asked: Asked, operation: Operation): boolean =>
  asked.method === operation.method &&
  asked.pathEnd === '' &&
  Object.values(asked.inPath).every((value) => /^[\w.~ -]+$/.test(value) && !/^\.{1,2}$/.test(value))

const rarely = <T>(usual: T, odd: Arbitrary<T>, oneIn: number): Arbitrary<T> =>
  fc.oneof({ weight: oneIn - 1, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: odd })

const textOf = (value: unknown): string => (typeof value === 'string' ? value : String(JSON.stringify(value)))

const parameterOf = ({ name, schema }: Parameter): Arbitrary<string> => nearly(schema, name, 15).map(textOf)

const queryOf = (operation: Operation): Arbitrary<Asked['query']> => {
  const own = operation.parameters.filter((one) => one.in === 'query')
  const some = own.map((one) =>
    fc.tuple(
      fc.constant(one.name),
      parameterOf(one),
      fc.nat(99).map((chance) => (chance < (one.required ? 97 : 60) ? (chance < 4 ? 2 : 1) : 0)),
    ),
  )
  const others = fc.array(fc.tuple(oddText, oddText), { maxLength: 2 })
  return fc.tuple(fc.tuple(...some), rarely<[string, string][]>([], others, 20)).map(([pairs, more]) => [
    // Twice the same name, now and then.
    ...pairs.flatMap(([name, value, times]) => Array.from({ length: times }, () => [name, value] as const)),
    ...more,
  ])
}

const BROKEN = [
  '%',
  '%zz',
  '%c0%af',
  '%ff%fe',
  '%00',
  '/..%2f..',
  '//',
  '/.',
  ';x=1',
  '%2F',
  '%252e',
  '/é',
  '%u0041',
]
const ODD_HEADERS: readonly (readonly [string, string])[] = [
  ['Accept', 'text/html'],
  ['Accept', '*/*;q=0.0001,,;;'],
  ['Accept-Language', `"><galop-markup>, en;q=9`],
  ['X-Forwarded-For', '127.0.0.1, "><galop-markup>'],
  ['X-Forwarded-Proto', 'https, javascript:alert(1)'],
  ['X-Forwarded-Host', 'evil.example'],
  ['X-HTTP-Method-Override', 'DELETE'],
  ['Origin', 'null'],
  ['Origin', 'http://evil.example'],
  ['Origin', '\xff\xfe'],
  ['Sec-Fetch-Site', 'cross-site'],
  ['Referer', '<galop-markup>'],
  ['If-None-Match', '*'],
  ['Range', 'bytes=0-,1-2,-5'],
  ['Expect', 'something-else'],
  ['Cookie', 'galop_session=x; galop_session=y; ; =; a'],
  ['Cookie', '__proto__=1'],
  ['Authorization', 'Basic YWRtaW46YWRtaW4='],
  ['Authorization', 'Bearer'],
  ['Authorization', 'Bearer \xe9.\xe9.\xe9'],
  ['Content-Encoding', 'gzip'],
  ['__proto__', 'x'],
  ['constructor', 'x'],
  ['X-Odd', '\xa0\xff'],
  ['X-Empty', ''],
]
const KEYS = [
  'k1',
  'k2',
  'k3',
  '__proto__',
  'a/b/c',
  '~'.repeat(200),
  '~'.repeat(201),
  'with space',
  '\xe9',
  '',
]
const TYPES = [
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/json; charset=utf-16',
  'application/jsonx',
  'application/json;;',
  'APPLICATION/JSON',
  '',
  '\xff',
]
const BODIES = [
  '{',
  '[]',
  'null',
  '""',
  '{"a":1}{"b":2}',
  '\uFEFF{}',
  '{"bets":'.repeat(50),
  ' '.repeat(65_600),
  '"\\ud800"',
  'a=1&b=2',
]

const jsonOf = (value: unknown): string => JSON.stringify(value) ?? 'null'

const bodyOf = (operation: Operation): Arbitrary<string | undefined> => {
  if (!operation.body) return rarely<string | undefined>(undefined, oddValue.map(jsonOf), 20)
  return fc.oneof(
    { weight: 25, arbitrary: nearly(operation.body, '', 40).map(jsonOf) },
    { weight: 2, arbitrary: fc.constantFrom(...BODIES) },
    { weight: 1, arbitrary: oddValue.map(jsonOf) },
    { weight: 1, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 100 }) },
  )
}

export const requestsOf = (operation: Operation): Arbitrary<Asked> => {
  const inPath = Object.fromEntries(
    operation.parameters.filter((one) => one.in === 'path').map((one) => [one.name, parameterOf(one)]),
  )
  const takesKey = operation.parameters.some((one) => one.in === 'header')
  const key = fc.constantFrom(...KEYS).map((value) => [['Idempotency-Key', value] as const])
  const type = rarely<string | undefined>('application/json', fc.constantFrom(undefined, ...TYPES), 25)
  return fc
    .record({
      role: fc.constantFrom<Role>(...ROLES, 'cashier', 'admin', 'cashier', 'admin'),
      by: fc.constantFrom<Asked['by'][]>('bearer', 'bearer', 'cookie'),
      method: rarely(
        operation.method,
        fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'),
        50,
      ),
      inPath: fc.record(inPath),
      pathEnd: rarely('', fc.oneof(fc.constantFrom(...BROKEN), oddText), 40),
      query: queryOf(operation),
      queryEnd: rarely(
        '',
        fc.constantFrom('&', '&&=', '&%', '&%zz=%zz', '&id', '&a[]=1&a[b]=2', '?', '#x'),
        30,
      ),
      type,
      own: takesKey ? rarely<(readonly [string, string])[]>([], key, 3) : fc.constant([]),
      odd: rarely<(readonly [string, string])[]>(
        [],
        fc.array(fc.constantFrom(...ODD_HEADERS), { maxLength: 4 }),
        6,
      ),
      body: bodyOf(operation),
      isChunked: rarely(false, fc.constant(true), 20),
    })
    .map(({ type, own, odd, ...asked }) => ({
      ...asked,
      headers: [
        ...(asked.body === undefined || type === undefined ? [] : [['Content-Type', type] as const]),
        ...own,
        ...odd,
      ],
    }))
}
