import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { readConfig, SETTING_NAMES } from '../src/config.ts'

// A paragraph that the code no longer keeps is a bug: what can be compared is compared here.

const root = fileURLToPath(new URL('..', import.meta.url))
const text = (path: string): string => readFileSync(join(root, path), 'utf8')

const filesUnder = (folder: string, end: RegExp): string[] =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && end.test(entry.name) && !entry.parentPath.includes('node_modules'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .sort()

const config = readConfig({})
/** What each setting is when nothing is set, as one would write it; `undefined` where there is no default. */
const defaults: Record<string, string | undefined> = {
  PORT: String(config.port),
  HOST: config.host,
  DATA_DIR: config.dataDirectory,
  DATABASE_URL: config.databaseUrl,
  PUBLIC_URL: config.publicUrl,
  REDIS_URL: config.redisUrl,
  CACHE_REDIS_URL: config.cacheRedisUrl,
  JWT_SECRET: config.jwtSecret,
  ADMIN_PASSWORD: config.adminPassword,
  CASHIER_PASSWORD: config.cashierPassword,
  STATION_NUMBER: config.station,
  TRACKS: config.tracks.join(','),
  ROUND_WAIT_DURATION_MS: String(config.durationsMs.wait),
  BETTING_LOCK_DURATION_MS: String(config.durationsMs.lock),
  RACE_DURATION_MS: String(config.durationsMs.race),
  RESULTS_DURATION_MS: String(config.durationsMs.results),
  MIN_BET_AMOUNT: String(config.limits.minStake),
  MAX_BET_AMOUNT: String(config.limits.maxStake),
  MAX_ROUND_EXPOSURE: String(config.limits.maxExposure),
  RETURN_TO_PLAYER: String(config.returnToPlayer),
  CURRENCY: config.currency,
  TIME_ZONE: undefined, // that of the machine
  RATE_LIMIT_PER_MINUTE: String(config.rateLimitPerMinute),
  LOGIN_LIMIT_PER_MINUTE: String(config.loginLimitPerMinute),
  CONNECTIONS_PER_ADDRESS: String(config.connectionsPerAddress),
  TRUST_PROXY: config.trustedProxies.length === 0 ? undefined : config.trustedProxies.join(','),
  METRICS_FROM: config.metricsFrom.join(','),
  ALERT_WEBHOOK_URL: config.alerts.webhookUrl,
  ALERT_DISK_FREE_MB: String(config.alerts.diskFreeBytes / 1_048_576),
  ALERT_CLOCK_MS: String(config.alerts.clockMs),
  LOG_LEVEL: config.logLevel,
  DEMONSTRATION: String(config.isDemonstration),
  FIELD_FILE: undefined, // DEFAULT_FIELD
}

describe('the settings', () => {
  it('are all known to this test', () => {
    expect(Object.keys(defaults).sort()).toEqual([...SETTING_NAMES].sort())
  })

  it.each(SETTING_NAMES)('%s stands in the README and in .env.example with its default', (name) => {
    const rows = text('README.md')
      .split('\n')
      .filter((line) => line.startsWith(`| \`${name}\` |`))
    expect(rows, 'rows of the README').toHaveLength(1)
    const shown = rows[0]!.split('|')[3]!.trim()
    const value = defaults[name]
    if (value === undefined) expect(shown, 'default in the README').not.toMatch(/^`/)
    else expect(shown.split(',')[0], 'default in the README').toBe(`\`${value}\``)

    const lines = text('.env.example')
      .split('\n')
      .filter((line) => line.replace(/^# /, '').startsWith(`${name}=`))
    expect(lines, 'lines of .env.example').toEqual([`# ${name}=${value ?? ''}`])
  })

  it('of the README and of .env.example are all settings of the program', () => {
    const inReadme = [...text('README.md').matchAll(/^\| `([A-Z_]+)` \|/gm)].map((found) => found[1])
    const inExample = [...text('.env.example').matchAll(/^# ([A-Z_]+)=/gm)].map((found) => found[1])
    expect(new Set(inReadme)).toEqual(new Set(SETTING_NAMES))
    expect(new Set(inExample)).toEqual(new Set(SETTING_NAMES))
  })
})

describe('the README', () => {
  it('gives the two commands, each in a block of its own, the test command before any other npm test', () => {
    const blocks = [...text('README.md').matchAll(/^```\w*\n(.*?)^```$/gms)].map((found) => found[1]!)
    expect(blocks).toContain('npm ci && npm start\n')
    expect(blocks.find((block) => block.includes('npm test'))).toBe('npm ci && npm test\n')
  })

  it('shows a field that the program takes', () => {
    const json = /^```json\n(.*?)^```$/ms.exec(text('README.md'))![1]!
    const folder = mkdtempSync(join(tmpdir(), 'galop-field-'))
    try {
      const file = join(folder, 'field.json')
      writeFileSync(file, json)
      expect(readConfig({ FIELD_FILE: file }).field).toHaveLength(3)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describe('docs/operations.md', () => {
  const inSource = (pattern: RegExp, under = 'src/http'): string[] =>
    filesUnder(under, /\.ts$/).flatMap((file) => [...text(file).matchAll(pattern)].map((found) => found[1]!))
  const inRows = (pattern: RegExp): string[] =>
    [...text('docs/operations.md').matchAll(pattern)].map((found) => found[1]!)

  it('names every metric, and no other', () => {
    const metrics = inSource(/\b(galop_[a-z_]+)(?=: \{|',)/g).filter((name) => name !== 'galop_session')
    expect(inRows(/^\| `(galop_\w+)` \|/gm).sort()).toEqual(metrics.sort())
  })

  it('says of every alarm what to do', () => {
    const codes = inSource(/\balarm\(\s*'([A-Z_]+)',/g, 'src')
    expect(codes.length).toBeGreaterThan(5)
    expect(inRows(/^\| `([A-Z_]+)` \|/gm).sort()).toEqual(codes.sort())
  })
})

describe('links', () => {
  const pages = [
    ...readdirSync(root).filter((name) => name.endsWith('.md')),
    ...filesUnder('docs', /\.md$/),
    ...filesUnder('bench', /\.md$/),
  ]

  it.each(pages)('of %s lead to files that exist', (page) => {
    const prose = text(page).replace(/^```.*?^```$/gms, '')
    const broken = [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
      .map((found) => found[1]!.split('#')[0]!)
      .filter((target) => target !== '' && !/^[a-z]+:/.test(target))
      .filter((target) => !existsSync(join(root, dirname(page), target)))
    expect(broken).toEqual([])
  })
})

/** The numbered rules that a file opens with, each on one line. */
const rulesOf = (source: string): { id: string; rule: string }[] => {
  const rules: { id: string; rule: string }[] = []
  let isOpen = false
  for (const line of source.split('\n')) {
    const begins = /^(?:\/\/| \*) {2,4}([A-Z]{1,2}\d+)\. (.+)$/.exec(line)
    const goesOn = /^(?:\/\/| \*) {5,}(\S.*)$/.exec(line)
    if (begins) rules.push({ id: begins[1]!, rule: begins[2]!.trim() })
    else if (isOpen && goesOn) rules.at(-1)!.rule += ` ${goesOn[1]!.trim()}`
    isOpen = begins !== null || (isOpen && goesOn !== null)
  }
  return rules
}

describe('ARCHITECTURE.md', () => {
  const lineOf = (file: string): string =>
    `- [${file}](${file}) ${rulesOf(text(file))
      .map(({ id, rule }) => `**${id}** ${rule}`)
      .join(' ')}`
  const ruled = [
    ...filesUnder('src', /\.ts$/),
    ...filesUnder('web', /\.tsx?$/),
    ...filesUnder('scripts', /\.mjs$/),
  ].filter((file) => rulesOf(text(file)).length > 0)

  it('is compared with the files that keep rules', () => {
    expect(ruled).toContain('src/actors/journal.port.ts')
    expect(ruled.length).toBeGreaterThan(30)
  })

  it.each(ruled)('says every rule of %s, word for word', (file) => {
    const shown = text('ARCHITECTURE.md')
      .split('\n')
      .find((line) => line.startsWith(`- [${file}](`))
    expect(shown).toBe(lineOf(file))
  })

  it('names no file whose rules are gone', () => {
    const named = [...text('ARCHITECTURE.md').matchAll(/^- \[((?:src|web|scripts)\/\S+)\]\(.* \*\*/gm)]
    expect(named.map((found) => found[1]).sort()).toEqual([...ruled].sort())
  })
})
