import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import * as v from 'valibot'
import { DEFAULT_FIELD, type Entry, Field } from './domain/racing/field.ts'
import { priceField } from './domain/racing/odds.ts'

// The only reader of the environment, in three steps: names and units, then defaults and cross-checks, then the field.

/** A setting is wrong. The message is one line that says which, and what it may be. */
export class SettingError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'SettingError'
  }
}

const whole = (least: number, most: number) =>
  v.pipe(
    v.string(),
    v.trim(),
    v.regex(/^-?\d+$/, `a whole number from ${least} to ${most}`),
    v.transform(Number),
    v.minValue(least, `a whole number from ${least} to ${most}`),
    v.maxValue(most, `a whole number from ${least} to ${most}`),
  )
const url = (schemes: string) =>
  v.pipe(
    v.string(),
    v.check(
      (text) => URL.canParse(text) && new RegExp(`^(${schemes})://`, 'i').test(text) && isDecodable(text),
      `a URL with scheme ${schemes.replaceAll('|', ' or ')}, such as ${schemes.split('|')[0]}://host:port`,
    ),
  )
const isDecodable = (text: string): boolean => {
  try {
    return decodeURIComponent(text) !== ''
  } catch {
    return false
  }
}
const MOST_ORIGIN_LENGTH = 200
const isOrigin = (text: string): boolean => {
  if (text.length > MOST_ORIGIN_LENGTH || !URL.canParse(text)) return false
  const { protocol, origin, href } = new URL(text)
  // Whatever else there is to an address, a name or a path, makes it longer than that.
  return /^https?:$/.test(protocol) && href === `${origin}/`
}
const orElse = <S extends v.GenericSchema<string, unknown>>(schema: S, fallback: v.InferInput<S>) =>
  v.optional(schema, fallback as never)

const DAY_MS = 86_400_000
const DEFAULT_LOCK_MS = 5_000
const MOST_AMOUNT = 1_000_000_000_000
const isTimeZone = (name: string): boolean => {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).format(0) !== ''
  } catch {
    return false
  }
}
const CURRENCIES = new Set(Intl.supportedValuesOf('currency'))
const isCurrency = (code: string): boolean => CURRENCIES.has(code)

const isNetwork = (text: string): boolean => {
  const [address, bits, ...rest] = text.split('/')
  const most = { 4: 32, 6: 128 }[isIP(address ?? '')]
  if (text === 'loopback') return true
  if (most === undefined || rest.length > 0) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most)
}
const networks = (what: string, isOne: (text: string) => boolean) =>
  v.pipe(
    v.string(),
    v.transform((text) => text.split(',').map((one) => one.trim())),
    v.check((list) => list.every(isOne), what),
  )

const Settings = v.object({
  PORT: orElse(whole(0, 65_535), '3000'),
  HOST: orElse(v.pipe(v.string(), v.nonEmpty('an address to listen at')), '0.0.0.0'),
  PUBLIC_URL: v.optional(
    v.pipe(
      v.string(),
      v.check(
        isOrigin,
        'an origin such as https://galop.example or http://192.168.1.20:3000, without a path',
      ),
      v.transform((text) => new URL(text).origin),
    ),
  ),
  DATA_DIR: orElse(v.pipe(v.string(), v.nonEmpty('a directory')), './data'),
  DATABASE_URL: v.optional(url('postgres|postgresql')),
  REDIS_URL: v.optional(url('redis|rediss')),
  CACHE_REDIS_URL: v.optional(url('redis|rediss')),
  JWT_SECRET: v.optional(v.pipe(v.string(), v.minLength(32, 'at least 32 characters'))),
  ADMIN_PASSWORD: v.optional(v.pipe(v.string(), v.maxLength(200, 'at most 200 characters'))),
  CASHIER_PASSWORD: v.optional(v.pipe(v.string(), v.maxLength(200, 'at most 200 characters'))),
  STATION_NUMBER: orElse(
    v.pipe(v.string(), v.regex(/^(?!0+$)\d{2,4}$/, 'two to four digits, not all zero')),
    '01',
  ),
  TRACKS: orElse(
    v.pipe(
      v.string(),
      v.transform((text) => text.split(',').map((name) => name.trim())),
      v.check(
        (names) =>
          names.every((name) => /^[\p{L}\p{N} _.-]{1,40}$/u.test(name)) &&
          new Set(names).size === names.length,
        'names separated by commas, each once, of letters, digits, spaces and _.-',
      ),
    ),
    'main',
  ),
  ROUND_WAIT_DURATION_MS: orElse(whole(50, DAY_MS), '60000'),
  BETTING_LOCK_DURATION_MS: v.optional(whole(0, DAY_MS)),
  RACE_DURATION_MS: orElse(whole(50, DAY_MS), '30000'),
  RESULTS_DURATION_MS: orElse(whole(0, DAY_MS), '5000'),
  MIN_BET_AMOUNT: orElse(whole(1, MOST_AMOUNT), '100'),
  MAX_BET_AMOUNT: orElse(whole(1, MOST_AMOUNT), '1000000'),
  MAX_ROUND_EXPOSURE: orElse(whole(1, MOST_AMOUNT * 1000), '5000000000'),
  RETURN_TO_PLAYER: orElse(
    v.pipe(
      v.string(),
      v.regex(/^(0?\.\d{1,4}|1(\.0+)?)$/, 'a share such as 0.88, at most 1, to four decimals'),
      v.transform(Number),
      v.minValue(0.01, 'at least 0.01'),
    ),
    '0.88',
  ),
  CURRENCY: orElse(
    v.pipe(
      v.string(),
      v.regex(/^[A-Z]{3}$/, 'three capital letters'),
      v.check(isCurrency, 'an ISO 4217 code'),
    ),
    'HTG',
  ),
  TIME_ZONE: v.optional(
    v.pipe(v.string(), v.check(isTimeZone, 'an IANA time zone such as America/Port-au-Prince')),
  ),
  RATE_LIMIT_PER_MINUTE: orElse(whole(0, 10_000_000), '3000'),
  LOGIN_LIMIT_PER_MINUTE: orElse(whole(1, 10_000), '10'),
  CONNECTIONS_PER_ADDRESS: orElse(whole(1, 1_000_000), '1000'),
  TRUST_PROXY: v.optional(
    networks('addresses or subnets such as 10.0.0.0/8, or loopback, separated by commas', isNetwork),
  ),
  METRICS_FROM: orElse(
    networks(
      'addresses or subnets such as 10.0.0.0/8, loopback, or anyone, separated by commas',
      (text) => text === 'anyone' || isNetwork(text),
    ),
    'loopback',
  ),
  ALERT_WEBHOOK_URL: v.optional(url('http|https')),
  ALERT_DISK_FREE_MB: orElse(whole(0, 1_000_000_000), '500'),
  ALERT_CLOCK_MS: orElse(whole(100, DAY_MS), '2000'),
  LOG_LEVEL: orElse(
    v.picklist(
      ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
      'trace, debug, info, warn, error, fatal or silent',
    ),
    'info',
  ),
  DEMONSTRATION: orElse(
    v.pipe(
      v.picklist(['true', 'false'], 'true or false'),
      v.transform((text) => text === 'true'),
    ),
    'false',
  ),
  FIELD_FILE: v.optional(v.pipe(v.string(), v.nonEmpty('a file'))),
})

/** All names that may be set, for the README and `.env.example` to be checked against. */
export const SETTING_NAMES = Object.keys(Settings.entries)

/** The settings, checked. Amounts in the smallest unit, durations in milliseconds. */
export type Config = ReturnType<typeof readConfig>

/** @throws SettingError */
export const readConfig = (environment: Readonly<Record<string, string | undefined>>) => {
  const given = Object.fromEntries(SETTING_NAMES.map((name) => [name, environment[name] || undefined]))
  const parsed = v.safeParse(Settings, given)
  if (!parsed.success) {
    const issue = parsed.issues[0]
    throw new SettingError(`${v.getDotPath(issue)} is wrong: it must be ${issue.message}`)
  }
  const settings = parsed.output
  const wait = settings.ROUND_WAIT_DURATION_MS
  // Unless it is set, the lock takes no more than a quarter of a wait that is shorter than usual.
  const lock = settings.BETTING_LOCK_DURATION_MS ?? Math.min(DEFAULT_LOCK_MS, Math.floor(wait / 4))
  if (lock >= wait)
    throw new SettingError(
      'BETTING_LOCK_DURATION_MS is wrong: it must be shorter than ROUND_WAIT_DURATION_MS, of which it is the last part',
    )
  if (settings.MIN_BET_AMOUNT > settings.MAX_BET_AMOUNT)
    throw new SettingError('MIN_BET_AMOUNT is wrong: it must not exceed MAX_BET_AMOUNT')
  const field = pricedField(settings.FIELD_FILE, settings.RETURN_TO_PLAYER)
  const highest = Math.max(...field.map((one) => one.coeff))
  if (settings.MAX_BET_AMOUNT * highest > Number.MAX_SAFE_INTEGER)
    throw new SettingError(
      `MAX_BET_AMOUNT is wrong: with a coefficient of ${highest / 100} its prize could not be counted exactly`,
    )
  return {
    port: settings.PORT,
    host: settings.HOST,
    publicUrl: settings.PUBLIC_URL,
    dataDirectory: settings.DATA_DIR,
    databaseUrl: settings.DATABASE_URL,
    redisUrl: settings.REDIS_URL,
    cacheRedisUrl: settings.CACHE_REDIS_URL ?? settings.REDIS_URL,
    jwtSecret: settings.JWT_SECRET,
    adminPassword: settings.ADMIN_PASSWORD,
    cashierPassword: settings.CASHIER_PASSWORD,
    station: settings.STATION_NUMBER,
    tracks: settings.TRACKS,
    durationsMs: {
      wait,
      lock,
      race: settings.RACE_DURATION_MS,
      results: settings.RESULTS_DURATION_MS,
    },
    limits: {
      minStake: settings.MIN_BET_AMOUNT,
      maxStake: settings.MAX_BET_AMOUNT,
      maxExposure: settings.MAX_ROUND_EXPOSURE,
    },
    field,
    returnToPlayer: settings.RETURN_TO_PLAYER,
    currency: settings.CURRENCY,
    timeZone: settings.TIME_ZONE,
    rateLimitPerMinute: settings.RATE_LIMIT_PER_MINUTE,
    loginLimitPerMinute: settings.LOGIN_LIMIT_PER_MINUTE,
    connectionsPerAddress: settings.CONNECTIONS_PER_ADDRESS,
    trustedProxies: settings.TRUST_PROXY ?? [],
    metricsFrom: settings.METRICS_FROM,
    alerts: {
      webhookUrl: settings.ALERT_WEBHOOK_URL,
      diskFreeBytes: settings.ALERT_DISK_FREE_MB * 1_048_576,
      clockMs: settings.ALERT_CLOCK_MS,
    },
    logLevel: settings.LOG_LEVEL,
    isDemonstration: settings.DEMONSTRATION,
  }
}

/** The environment of this process. */
export const environment = (): Record<string, string | undefined> => process.env

const pricedField = (file: string | undefined, returnToPlayer: number) => {
  try {
    return priceField(file === undefined ? DEFAULT_FIELD : readField(file), returnToPlayer)
  } catch (error) {
    if (error instanceof RangeError)
      throw new SettingError(`${file ? 'FIELD_FILE' : 'RETURN_TO_PLAYER'} is wrong: ${error.message}`)
    throw error
  }
}

const readField = (file: string): Entry[] => {
  let json: unknown
  try {
    json = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new SettingError(
      `FIELD_FILE is wrong: ${file} cannot be read as JSON (${(error as Error).message})`,
    )
  }
  const parsed = v.safeParse(Field, json)
  if (parsed.success) return parsed.output
  const issue = parsed.issues[0]
  throw new SettingError(
    `FIELD_FILE is wrong: ${file}, at ${v.getDotPath(issue) ?? 'its top'}: ${issue.message}`,
  )
}
