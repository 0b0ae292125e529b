import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { environment, readConfig } from './config.ts'
import { holderOf } from './db/data-directory.ts'
import { type RoundReport, reportJournal } from './db/racing/journal.report.ts'

// Says what is intact of a journal, while no server uses it. Changes nothing.

const USAGE = `usage: npm run verify -- [--facts] [DATA_DIR]

Lists what is intact in the journal of a data directory. It is read only; the server must be stopped.
  --facts   every intact fact instead, one JSON object a line
Exit code 0: all of it is intact. 1: something is damaged. 2: it could not be looked at.
`

const say = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

const main = (): number => {
  const options = process.argv.slice(2)
  const names = options.filter((one) => !one.startsWith('--'))
  const listsFacts = options.includes('--facts')
  if (names.length > 1 || options.some((one) => one.startsWith('--') && one !== '--facts')) {
    process.stderr.write(USAGE)
    return 2
  }
  const data = resolve(names[0] ?? readConfig(environment()).dataDirectory)
  const directory = join(data, 'journal')
  if (!existsSync(directory)) {
    process.stderr.write(`galop: there is no journal in ${data}\n`)
    return 2
  }
  const holder = holderOf(data)
  if (holder !== undefined) {
    process.stderr.write(`galop: a server (process ${holder}) uses ${data}: stop it first\n`)
    return 2
  }
  const hear = (round: number, number: number, fact: object): void =>
    say(JSON.stringify({ round, number, ...fact }))
  const { faults, rounds, notes } = reportJournal(directory, listsFacts ? hear : undefined)
  if (!listsFacts) tell(directory, rounds, notes)
  const verdict = faults.length === 0 ? 'All of it is intact.' : `${faults.length} faults:`
  const lines = [verdict, ...faults.map((fault) => `  ${fault}`)]
  for (const line of lines) listsFacts ? process.stderr.write(`${line}\n`) : say(line)
  return faults.length === 0 ? 0 : 1
}

const COLUMNS = [
  'round',
  'track',
  'phase',
  'facts',
  'receipts',
  'cancelled',
  'paid',
  'refunded',
  'stakes',
  'prizes paid',
]

const tell = (directory: string, rounds: readonly RoundReport[], notes: number): void => {
  const rows = rounds.map((one) => [
    one.id,
    one.track ?? '?',
    one.phase,
    one.facts,
    one.receipts,
    one.cancelled,
    one.paid,
    one.refunded,
    one.stakes,
    one.prizesPaid,
  ])
  const total = (of: (one: RoundReport) => number): number => rounds.reduce((sum, one) => sum + of(one), 0)
  const sums = [
    total((one) => one.facts),
    total((one) => one.receipts),
    total((one) => one.cancelled),
    total((one) => one.paid),
    total((one) => one.refunded),
    total((one) => one.stakes),
    total((one) => one.prizesPaid),
  ]
  say(`Intact in ${directory} (amounts in the smallest unit):`)
  const table = [COLUMNS, ...rows, ['all', '', '', ...sums]].map((row) => row.map(String))
  const widths = COLUMNS.map((_, i) => Math.max(...table.map((row) => row[i]!.length)))
  for (const row of table) say(`  ${row.map((cell, i) => cell.padStart(widths[i]!)).join('  ')}`)
  say(`  ${notes} notes`)
}

try {
  process.exitCode = main()
} catch (error) {
  process.stderr.write(`galop: ${(error as Error).message}\n`)
  process.exitCode = 2
}
