// `npm run chaos`: attacks on the built server, a real Postgres and a real Redis. Each client keeps books; in the end
// the books and the server must agree. `npm run chaos -- list` names the attacks.
import { execFileSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { attacks } from './attacks.ts'

const USAGE = `usage: npm run chaos -- [list | NAME …] [--times N] [--minutes N] [--short]

Without a name all attacks are made, one after another, but for the soak and the controls.
  --times N     how often an attack is made
  --minutes N   how long the soak lasts
  --short       as CI does it
`
const say = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

const main = async (): Promise<number> => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      times: { type: 'string' },
      minutes: { type: 'string' },
      short: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const unknown = positionals.filter((name) => name !== 'list' && !attacks.some((one) => one.name === name))
  if (values.help || unknown.length > 0) {
    say(USAGE)
    return values.help ? 0 : 2
  }
  if (positionals.includes('list')) {
    for (const { name, what } of attacks) say(`${name.padEnd(12)} ${what}`)
    return 0
  }
  execFileSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' })
  const chosen = attacks.filter(({ name }) =>
    positionals.length > 0 ? positionals.includes(name) : name !== 'soak' && name !== 'controls',
  )
  const numberOf = (text: string | undefined): number | undefined =>
    text === undefined ? text : Number(text)
  let trials = 0
  let disagreements = 0
  for (const { name, what, run } of chosen) {
    const begun = performance.now()
    say(`${name}: ${what}`)
    const result = await run({
      times: numberOf(values.times),
      minutes: numberOf(values.minutes),
      isShort: values.short,
      say: (line) => say(`  ${line}`),
    }).catch((error: Error) => {
      const cause = error.cause instanceof Error ? `\n${error.cause.message}` : ''
      return { trials: 0, figures: {}, faults: [`it broke off: ${error.stack}${cause}`] }
    })
    for (const [figure, value] of Object.entries(result.figures)) say(`  ${figure}: ${value}`)
    for (const fault of result.faults) say(`  DISAGREES ${fault}`)
    const took = Math.round((performance.now() - begun) / 1_000)
    say(`  ${result.trials} trials, ${result.faults.length} disagreements, ${took} s`)
    trials += result.trials
    disagreements += result.faults.length
  }
  say(`${chosen.length} attacks, ${trials} trials, ${disagreements} disagreements`)
  return disagreements > 0 ? 1 : 0
}

process.exit(await main())
