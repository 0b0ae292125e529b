import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { machineLine } from './machine.ts'
import type { Row } from './row.ts'
import { type Measured, outcomeOf, tableOf } from './table.ts'

// `npm run bench` measures all rows, `npm run bench -- 1 4` some, `--short` in the small form that shows only that they
// work. What the rows are, and how to read the table: docs/performance.md.

const ROWS = new URL('rows/', import.meta.url)
const SECONDS_OF_UNKNOWN = 60

export const loadRows = async (): Promise<Row[]> => {
  const files = readdirSync(ROWS).filter((name) => name.endsWith('.row.ts'))
  const rows = await Promise.all(
    files.map(async (file) => ((await import(new URL(file, ROWS).href)) as { row: Row }).row),
  )
  return rows.sort((a, b) => a.number - b.number)
}

const inMinutes = (seconds: number): string =>
  seconds < 90 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`

const main = async (args: readonly string[]): Promise<void> => {
  const isShort = args.includes('--short')
  const asked = args.filter((arg) => arg !== '--short').map(Number)
  const all = await loadRows()
  const unknown = asked.filter((number) => !all.some((row) => row.number === number))
  if (unknown.length > 0)
    throw new Error(`there are rows ${all.map((row) => row.number).join(', ')}; --short is the only option`)
  const rows = asked.length > 0 ? all.filter((row) => asked.includes(row.number)) : all
  const machine = machineLine()
  process.stdout.write(`${machine}\n`)
  execFileSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' })

  const secondsOf = (row: Row): number => (isShort ? 8 : (row.seconds ?? SECONDS_OF_UNKNOWN))
  const measured: Measured[] = []
  for (const [i, row] of rows.entries()) {
    const began = performance.now()
    const later = rows.slice(i + 1).reduce((sum, one) => sum + secondsOf(one), 0)
    const say = (line: string): void => {
      const left = later + Math.max(0, secondsOf(row) - (performance.now() - began) / 1000)
      process.stdout.write(
        `[row ${row.number}, ${i + 1} of ${rows.length}, about ${inMinutes(left)} left] ${line}\n`,
      )
    }
    say(row.work)
    measured.push(await measure(row, isShort, say))
  }
  process.stdout.write(`\n${machine}\n\n${tableOf(measured)}\n`)
  if (isShort) process.stdout.write('\nThe short form shows that the rows work; its figures mean nothing.\n')
  if (measured.some(({ fault }) => fault !== undefined)) process.exitCode = 1
}

/** A row that fails is told at the end, and in the exit code; the others are measured all the same. */
const measure = async (row: Row, isShort: boolean, say: (line: string) => void): Promise<Measured> => {
  try {
    const comparisons = await row.run({ isShort, say })
    for (const one of comparisons) outcomeOf(one)
    return { row, comparisons }
  } catch (error) {
    const fault = error instanceof Error ? error.message : String(error)
    say(`failed: ${error instanceof Error ? error.stack : fault}`)
    return { row, comparisons: [], fault: fault.slice(0, 300) }
  }
}

if (import.meta.filename === process.argv[1])
  await main(process.argv.slice(2)).catch((error: Error) => {
    process.stderr.write(`bench: ${error.message}\n`)
    process.exitCode = 1
  })
