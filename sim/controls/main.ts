// `node --import tsx sim/controls/main.ts [name]`: tries every control, and prints the table of docs/reliability.md.
import process from 'node:process'
import { CONTROLS } from './controls.ts'
import { tryControl } from './workshop.ts'

const [wanted] = process.argv.slice(2)
let missed = 0
console.log('| control | what is wrong then | found in run | by |\n|---|---|---|---|')
for (const control of CONTROLS) {
  if (wanted !== undefined && control.name !== wanted) continue
  const { run, invariant, output } = await tryControl(control)
  const isFound = run !== undefined && control.foundBy.some((one) => one === invariant)
  if (!isFound) {
    missed++
    console.error(output.slice(-3_000))
  }
  console.log(
    `| ${control.name} | ${control.what} | ${run ?? 'never'} (of ${control.withinRuns}) | ${invariant ?? '—'} |`,
  )
}
process.exitCode = missed === 0 ? 0 : 1
