// Everything that can be judged without running the server: types, format and lint, who imports whom.
// With `--fix` it first writes what the formatter and the safe lint fixes can put right.
import { spawnSync } from 'node:child_process'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const program = (path) => join(root, 'node_modules', path)
const tsc = program('typescript/bin/tsc')
const biome = program('@biomejs/biome/bin/biome')
const colours = `--colors=${process.stdout.isTTY ? 'force' : 'off'}`

// Without the project's vitest settings: those start a Postgres, which this one file does not need.
const houseTest = `
  const { startVitest } = await import('vitest/node')
  const run = await startVitest('test', ['tests/house.test.ts'], { config: false, watch: false })
  await run.close()`

const steps = [
  ['types: tsc -p .', [tsc, '-p', '.']],
  ['types of the pages: tsc -p web', [tsc, '-p', 'web']],
  ['format and lint: biome ci', [biome, 'ci', colours]],
  ['import rules: tests/house.test.ts', ['--input-type=module', '--eval', houseTest]],
]
if (process.argv.includes('--fix')) {
  steps.unshift(['fixes: biome check --write', [biome, 'check', '--write', colours]])
}

function passes([name, args]) {
  const run = spawnSync(process.execPath, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: process.stdout.isTTY ? process.env : { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined },
  })
  const isOk = run.status === 0
  if (!isOk) console.log(`${run.stdout ?? ''}${run.stderr ?? ''}${run.error?.message ?? ''}`.trim())
  console.log(`${name} … ${isOk ? 'ok' : 'failed'}`)
  return isOk
}

const outcomes = steps.map(passes)
process.exitCode = outcomes.every(Boolean) ? 0 : 1
