import process from 'node:process'
import type { RunResult } from './run.ts'

const LINES_OF_FAILURE = 60
const LINES_AT_THE_END = 25
const PROGRESS_MS = 2_000

/** Counts what was run, and tells of it. */
export class Report {
  readonly #runs: number
  readonly #now: () => number
  readonly #began: number
  #told: number
  #done = 0
  #steps = 0
  #commands = 0
  #checks = 0
  #messages = 0
  #simulatedMs = 0
  #hash = 0
  readonly #faults = new Map<string, number>()
  readonly #seen = new Map<string, number>()

  constructor(runs: number, now: () => number) {
    this.#runs = runs
    this.#now = now
    this.#began = now()
    this.#told = this.#began
  }

  add({ steps, commands, checks, messages, simulatedMs, faults, seen, hash }: RunResult): void {
    this.#done++
    this.#steps += steps
    this.#commands += commands
    this.#checks += checks
    this.#messages += messages
    this.#simulatedMs += simulatedMs
    this.#hash = (Math.imul(this.#hash, 31) + Number.parseInt(hash.slice(0, 8), 16)) >>> 0
    addTo(this.#faults, faults)
    addTo(this.#seen, seen)
    const now = this.#now()
    if (now - this.#told < PROGRESS_MS) return
    this.#told = now
    const perRun = (now - this.#began) / this.#done
    const leftS = Math.ceil((perRun * (this.#runs - this.#done)) / 1_000)
    process.stderr.write(
      `${this.#done} of ${this.#runs} runs, ${(1_000 / perRun).toFixed(0)} a second, ${leftS} s left\n`,
    )
  }

  /** What a failed run says: where, how to repeat it, and what led there. */
  failure({ seed, violation, hash }: RunResult, again: RunResult): string {
    const lines = again.lines ?? []
    const words = (violation?.about ?? [])
      .filter((word) => String(word).length > 1)
      .map((word) => new RegExp(`\\b${word}\\b`))
    const concerned = lines
      .slice(0, -LINES_AT_THE_END)
      .filter((line) => words.some((word) => word.test(line)))
      .slice(-LINES_OF_FAILURE)
    const short = (line: string): string => (line.length > 400 ? `${line.slice(0, 400)}…` : line)
    return [
      `FAILED seed ${seed}: ${violation?.message}`,
      `repeat it: npm run sim -- --runs 1 --seed ${seed}`,
      again.hash === hash
        ? `trace ${hash}, the same when repeated`
        : `trace ${hash}, but ${again.hash} when repeated`,
      ...(concerned.length > 0
        ? [`what it is about (of ${lines.length} lines):`, ...concerned.map(short)]
        : []),
      'the last of it:',
      ...lines.slice(-LINES_AT_THE_END).map(short),
    ].join('\n')
  }

  counts(): string {
    const seconds = (this.#now() - this.#began) / 1_000
    const faults = listed(this.#faults)
    const hours = (this.#simulatedMs / 3_600_000).toFixed(1)
    return (
      `${this.#done} runs, ${this.#commands} commands, ${this.#messages} frames heard, ${this.#steps} steps, ` +
      `${hours} simulated hours, ${this.#checks} checks of invariants; ${listed(this.#seen)}; ` +
      `faults: ${faults || 'none'}; ` +
      `trace ${this.#hash.toString(16).padStart(8, '0')}; ${seconds.toFixed(1)} s, ${(this.#done / seconds).toFixed(1)} runs a second`
    )
  }
}

const addTo = (sums: Map<string, number>, some: ReadonlyMap<string, number>): void => {
  for (const [name, count] of some) sums.set(name, (sums.get(name) ?? 0) + count)
}

const listed = (counts: ReadonlyMap<string, number>): string =>
  [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, count]) => `${count} × ${name}`)
    .join(', ')
