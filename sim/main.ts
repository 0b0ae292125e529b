// `npm run sim -- --runs 1000 --seed 1`: runs seeds one after another, and says what came of it.
import process from 'node:process'
import { parseArgs } from 'node:util'
import { installGlobals, machine, onUnheard } from './globals.ts'
import { INVARIANT_NAMES, INVARIANTS } from './invariants.ts'
import { Report } from './report.ts'
import { runSeed, unheard } from './run.ts'

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '100' },
    seed: { type: 'string' },
    trace: { type: 'boolean', default: false },
    hashes: { type: 'boolean', default: false },
  },
})
const runs = Number(values.runs)
const first = values.seed === undefined ? 1 : Number(values.seed)
if (!Number.isSafeInteger(runs) || runs < 1 || !Number.isSafeInteger(first) || first < 0) {
  console.error('npm run sim -- --runs 1000 [--seed 1] [--hashes]: how many runs, and the seed of the first')
  process.exit(2)
}

installGlobals()
onUnheard((reason) => unheard.hear(reason))
const report = new Report(runs, machine.nowMs)
for (let seed = first; seed < first + runs; seed++) {
  const result = await runSeed(seed, values.trace)
  report.add(result)
  if (values.hashes) console.log(`seed ${seed} ${result.hash}`)
  if (values.trace) for (const line of result.lines ?? []) console.log(line)
  if (!result.violation) continue
  const again = await runSeed(seed, true)
  console.log(report.failure(result, again))
  console.log(report.counts())
  process.exit(1)
}
console.log(
  `${INVARIANT_NAMES.length} invariants: ${Object.entries(INVARIANTS)
    .map(([name]) => name)
    .join(' ')}`,
)
console.log(report.counts())
process.exit(0)
