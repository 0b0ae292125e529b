import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readConfig, SETTING_NAMES, SettingError } from '../../src/config.ts'
import { DEFAULT_FIELD } from '../../src/domain/racing/field.ts'

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'galop-config-'))
})
afterAll(() => rmSync(directory, { recursive: true }))

const fieldFile = (content: unknown, name = 'field.json'): string => {
  const file = join(directory, name)
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
  return file
}

/** What is complained of, in the one line that the operator sees. */
const complaint = (environment: Record<string, string>): string => {
  try {
    readConfig(environment)
  } catch (error) {
    expect(error).toBeInstanceOf(SettingError)
    return (error as Error).message
  }
  throw new Error(`nothing was complained of in ${JSON.stringify(environment)}`)
}

describe('without any setting', () => {
  it('is the shop of the README', () => {
    const { field, timeZone, ...config } = readConfig({})
    expect(config).toEqual({
      port: 3000,
      host: '0.0.0.0',
      alerts: { webhookUrl: undefined, diskFreeBytes: 500 * 1_048_576, clockMs: 2_000 },
      dataDirectory: './data',
      databaseUrl: undefined,
      redisUrl: undefined,
      cacheRedisUrl: undefined,
      jwtSecret: undefined,
      adminPassword: undefined,
      cashierPassword: undefined,
      station: '01',
      tracks: ['main'],
      durationsMs: { wait: 60_000, lock: 5_000, race: 30_000, results: 5_000 },
      limits: { minStake: 100, maxStake: 1_000_000, maxExposure: 5_000_000_000 },
      returnToPlayer: 0.88,
      currency: 'HTG',
      rateLimitPerMinute: 3000,
      loginLimitPerMinute: 10,
      connectionsPerAddress: 1000,
      trustedProxies: [],
      metricsFrom: ['loopback'],
      logLevel: 'info',
      isDemonstration: false,
    })
    expect(field.map(({ number, coeff }) => [number, coeff])).toEqual([
      [1, 250],
      [2, 400],
      [3, 550],
      [4, 800],
      [5, 1000],
      [6, 1257],
    ])
    expect(timeZone).toBeUndefined()
  })

  it('takes an empty setting for one that is not set', () => {
    expect(readConfig(Object.fromEntries(SETTING_NAMES.map((name) => [name, ''])))).toEqual(readConfig({}))
  })

  it('looks at no setting of others', () => {
    expect(readConfig({ PATH: 'x', GALOP: 'y', port: '80' })).toEqual(readConfig({}))
  })
})

describe('settings that are right', () => {
  it('arrive with their units', () => {
    const config = readConfig({
      PORT: ' 0 ',
      HOST: '127.0.0.1',
      DATA_DIR: '/srv/galop',
      DATABASE_URL: 'postgresql://a:b@db/galop',
      REDIS_URL: 'rediss://cache:6380/1',
      STATION_NUMBER: '0042',
      TRACKS: ' Hippodrome Nord , élite-2 ',
      ROUND_WAIT_DURATION_MS: '300',
      BETTING_LOCK_DURATION_MS: '0',
      RACE_DURATION_MS: '50',
      RESULTS_DURATION_MS: '0',
      MIN_BET_AMOUNT: '5',
      MAX_BET_AMOUNT: '5',
      MAX_ROUND_EXPOSURE: '1000',
      RETURN_TO_PLAYER: '.75',
      CURRENCY: 'EUR',
      TIME_ZONE: 'America/Port-au-Prince',
      RATE_LIMIT_PER_MINUTE: '0',
      LOG_LEVEL: 'silent',
    })
    expect(config).toMatchObject({
      port: 0,
      host: '127.0.0.1',
      dataDirectory: '/srv/galop',
      databaseUrl: 'postgresql://a:b@db/galop',
      redisUrl: 'rediss://cache:6380/1',
      station: '0042',
      tracks: ['Hippodrome Nord', 'élite-2'],
      durationsMs: { wait: 300, lock: 0, race: 50, results: 0 },
      limits: { minStake: 5, maxStake: 5, maxExposure: 1000 },
      returnToPlayer: 0.75,
      currency: 'EUR',
      timeZone: 'America/Port-au-Prince',
      rateLimitPerMinute: 0,
      logLevel: 'silent',
    })
    expect(config.field[0]!.coeff).toBe(213)
  })

  it('name an origin, with or without a slash at its end', () => {
    for (const text of ['http://192.168.1.20:3000', 'HTTP://192.168.1.20:3000/'])
      expect(readConfig({ PUBLIC_URL: text }).publicUrl).toBe('http://192.168.1.20:3000')
    expect(readConfig({ PUBLIC_URL: 'https://galop.example:443' }).publicUrl).toBe('https://galop.example')
  })

  it('put the cache on the Redis of the jobs, unless it has one of its own', () => {
    const jobs = 'redis://jobs:6379'
    expect(readConfig({ REDIS_URL: jobs }).cacheRedisUrl).toBe(jobs)
    expect(readConfig({ REDIS_URL: jobs, CACHE_REDIS_URL: 'redis://cache:6379' })).toMatchObject({
      redisUrl: jobs,
      cacheRedisUrl: 'redis://cache:6379',
    })
    expect(readConfig({ CACHE_REDIS_URL: 'redis://cache:6379' }).redisUrl).toBeUndefined()
  })

  it('lock a quarter of a short wait, unless they say how much', () => {
    expect(readConfig({ ROUND_WAIT_DURATION_MS: '400' }).durationsMs.lock).toBe(100)
    expect(readConfig({ ROUND_WAIT_DURATION_MS: '20000' }).durationsMs.lock).toBe(5_000)
    expect(
      readConfig({ ROUND_WAIT_DURATION_MS: '400', BETTING_LOCK_DURATION_MS: '399' }).durationsMs.lock,
    ).toBe(399)
  })
})

describe('a setting that is wrong', () => {
  const wrong: [name: string, value: string, mustBe: RegExp][] = [
    ['PORT', '65536', /whole number from 0 to 65535/],
    ['PORT', '-1', /whole number from 0 to 65535/],
    ['PORT', '80.5', /whole number/],
    ['PORT', '8e3', /whole number/],
    ['PORT', 'http', /whole number/],
    ['PUBLIC_URL', 'galop.example', /an origin such as/],
    ['PUBLIC_URL', 'ftp://galop.example', /an origin such as/],
    ['PUBLIC_URL', 'https://galop.example/shop', /without a path/],
    ['PUBLIC_URL', 'https://galop.example/?a=b', /without a path/],
    ['PUBLIC_URL', 'https://me:word@galop.example', /an origin such as/],
    ['PUBLIC_URL', `https://${'a'.repeat(200)}`, /an origin such as/],
    ['DATABASE_URL', 'localhost:5432', /URL with scheme postgres or postgresql/],
    ['DATABASE_URL', 'mysql://localhost/galop', /URL with scheme postgres or postgresql/],
    ['REDIS_URL', 'http://localhost', /URL with scheme redis or rediss/],
    ['CACHE_REDIS_URL', 'localhost', /URL with scheme redis or rediss/],
    ['JWT_SECRET', 'short', /at least \d+ characters/],
    ['STATION_NUMBER', '1', /two to four digits, not all zero/],
    ['STATION_NUMBER', '00', /two to four digits, not all zero/],
    ['STATION_NUMBER', '12345', /two to four digits/],
    ['STATION_NUMBER', 'A1', /two to four digits/],
    ['TRACKS', 'north,north', /each once/],
    ['TRACKS', 'north,', /names separated by commas/],
    ['TRACKS', 'a/b', /names separated by commas/],
    ['ROUND_WAIT_DURATION_MS', '49', /whole number from 50 to/],
    ['ROUND_WAIT_DURATION_MS', '60s', /whole number/],
    ['BETTING_LOCK_DURATION_MS', '-1', /whole number from 0 to/],
    ['RACE_DURATION_MS', '0', /whole number from 50 to/],
    ['RESULTS_DURATION_MS', '86400001', /whole number from 0 to 86400000/],
    ['MIN_BET_AMOUNT', '0', /whole number from 1 to/],
    ['MAX_BET_AMOUNT', '1.5', /whole number/],
    ['MAX_ROUND_EXPOSURE', '9007199254740993', /whole number from 1 to/],
    ['RETURN_TO_PLAYER', '88', /share such as 0.88/],
    ['RETURN_TO_PLAYER', '1.01', /share such as 0.88/],
    ['RETURN_TO_PLAYER', '0.00001', /share such as 0.88/],
    ['RETURN_TO_PLAYER', '0', /share such as 0.88|at least 0.01/],
    ['CURRENCY', 'htg', /three capital letters/],
    ['CURRENCY', 'HTGX', /three capital letters/],
    ['CURRENCY', 'XXZ', /ISO 4217/],
    ['TIME_ZONE', 'Port-au-Prince', /IANA time zone/],
    ['RATE_LIMIT_PER_MINUTE', '-5', /whole number from 0 to/],
    ['LOGIN_LIMIT_PER_MINUTE', '0', /whole number from 1 to/],
    ['CONNECTIONS_PER_ADDRESS', '0', /whole number from 1 to/],
    ['TRUST_PROXY', 'proxy.example', /addresses or subnets/],
    ['TRUST_PROXY', '10.0.0.0/33', /addresses or subnets/],
    ['TRUST_PROXY', '10.0.0.0/8,', /addresses or subnets/],
    ['TRUST_PROXY', 'anyone', /addresses or subnets/],
    ['METRICS_FROM', '::/129', /addresses or subnets/],
    ['METRICS_FROM', 'everybody', /anyone/],
    ['DEMONSTRATION', 'yes', /true or false/],
    ['ALERT_WEBHOOK_URL', 'alerts.example', /scheme http or https/],
    ['ALERT_DISK_FREE_MB', '-1', /whole number from 0 to/],
    ['ALERT_CLOCK_MS', '99', /whole number from 100 to/],
    ['LOG_LEVEL', 'loud', /trace, debug, info, warn, error, fatal or silent/],
  ]

  it.each(wrong)('%s=%s is named in one line that says what it may be', (name, value, mustBe) => {
    const line = complaint({ [name]: value })
    expect(line).toMatch(new RegExp(`^${name} is wrong: it must be `))
    expect(line).toMatch(mustBe)
    expect(line).not.toContain('\n')
  })

  it('is looked for in every setting that can be wrong', () => {
    const free = ['HOST', 'DATA_DIR', 'ADMIN_PASSWORD', 'CASHIER_PASSWORD', 'FIELD_FILE']
    const covered = new Set([...wrong.map(([name]) => name), ...free])
    expect(SETTING_NAMES.filter((name) => !covered.has(name))).toEqual([])
  })

  it('keeps a secret out of its line', () => {
    expect(complaint({ JWT_SECRET: 'hunter2' })).not.toContain('hunter2')
    expect(complaint({ DATABASE_URL: 'pg://u:hunter2@h/d' })).not.toContain('hunter2')
  })
})

describe('settings that do not fit each other', () => {
  it('name the one to change', () => {
    expect(complaint({ BETTING_LOCK_DURATION_MS: '60000' })).toMatch(
      /^BETTING_LOCK_DURATION_MS is wrong: it must be shorter than ROUND_WAIT_DURATION_MS/,
    )
    expect(complaint({ ROUND_WAIT_DURATION_MS: '1000', BETTING_LOCK_DURATION_MS: '5000' })).toMatch(
      /^BETTING_LOCK_DURATION_MS is wrong/,
    )
    expect(complaint({ MIN_BET_AMOUNT: '2000000' })).toBe(
      'MIN_BET_AMOUNT is wrong: it must not exceed MAX_BET_AMOUNT',
    )
    expect(complaint({ RETURN_TO_PLAYER: '0.3' })).toMatch(
      /^RETURN_TO_PLAYER is wrong: participant 1 \(Cheval 1\) would be paid 0\.85/,
    )
  })
})

describe('FIELD_FILE', () => {
  const two = [
    { number: 3, name: ' Éclair ', chance: 1 },
    { number: 9, name: 'Tonnerre', chance: 3 },
  ]

  it('names those who run, priced at the return to player', () => {
    const { field } = readConfig({ FIELD_FILE: fieldFile(two), RETURN_TO_PLAYER: '0.9' })
    expect(field).toEqual([
      { number: 3, name: 'Éclair', chance: 1, coeff: 360 },
      { number: 9, name: 'Tonnerre', chance: 3, coeff: 120 },
    ])
  })

  it('takes the default field as well as a file that says the same', () => {
    expect(readConfig({ FIELD_FILE: fieldFile(DEFAULT_FIELD) }).field).toEqual(readConfig({}).field)
  })

  it.each<[string, unknown, RegExp]>([
    ['that is no JSON', '{', /cannot be read as JSON/],
    ['with one participant', two.slice(0, 1), /at least 2 participants/],
    ['with a number twice', [two[0], { ...two[1], number: 3 }], /a number stands twice/],
    ['with a number that is none', [two[0], { ...two[1], number: 'x' }], /at 1\.number/],
    ['with a name that is empty', [two[0], { ...two[1], name: ' ' }], /at 1\.name/],
    ['with a chance of nothing', [two[0], { ...two[1], chance: 0 }], /at 1\.chance/],
    ['with a member that nobody knows', [two[0], { ...two[1], colour: 'bay' }], /at 1\.colour/],
    ['that holds something else', { field: two }, /at its top/],
    [
      'with a favourite that pays nothing',
      [two[0], { ...two[1], chance: 1000 }],
      /participant 9 .*smaller chance/,
    ],
  ])('%s is refused in one line that says where', (_, content, why) => {
    const line = complaint({ FIELD_FILE: fieldFile(content, 'wrong.json') })
    expect(line).toMatch(/^FIELD_FILE is wrong: /)
    expect(line).toMatch(why)
    expect(line).not.toContain('\n')
  })

  it('that is not there is named', () => {
    const file = join(directory, 'nowhere.json')
    expect(complaint({ FIELD_FILE: file })).toContain(`FIELD_FILE is wrong: ${file} cannot be read`)
  })
})
