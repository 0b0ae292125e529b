// Runs every test, and says last, alone on its line: `N passed, M failed`.
//   R1. What some tests need is there, or is installed, or the run fails: nothing is skipped for lack of it.
//   R2. A skipped case counts as failed, and so do a broken test file, an unhandled error and a crash.
// Arguments are passed on to vitest: `npm test -- tests/domain`.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { provideTools } from './test-tools.mjs'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const args = process.argv.slice(2)
const isNarrowed = args.some((arg) => arg === '-t' || arg.startsWith('--testNamePattern'))

async function runTests() {
  const paths = await provideTools((what) => console.log(`npm test: ${what}`))
  const build = spawnSync(process.execPath, [join(root, 'scripts', 'build.mjs')], { stdio: 'inherit' })
  if (build.status !== 0) throw new Error('there is nothing to test: the build failed')

  const folder = mkdtempSync(join(tmpdir(), 'galop-test-'))
  try {
    const report = join(folder, 'report.json')
    const exit = await vitest(report, { ...process.env, ...paths })
    return count(report, exit)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function vitest(report, env) {
  const program = join(root, 'node_modules', 'vitest', 'vitest.mjs')
  if (!existsSync(program)) throw new Error('vitest is not installed: run `npm ci` first')
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, 'run', ...reporters, ...args], {
      cwd: root,
      env,
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    // A terminal's Ctrl-C reaches vitest by itself; a SIGTERM must be handed on.
    process.on('SIGINT', () => {})
    process.on('SIGTERM', () => child.kill('SIGTERM'))
    child.on('error', reject)
    child.on('close', resolve)
  })
}

function count(report, exit) {
  if (!existsSync(report)) return { passed: 0, failed: 1 }
  const files = JSON.parse(readFileSync(report, 'utf8')).testResults
  let passed = 0
  let failed = 0
  for (const file of files) {
    const cases = file.assertionResults.filter(({ status }) => status === 'passed' || counts(status))
    const good = cases.filter(({ status }) => status === 'passed').length
    passed += good
    failed += cases.length - good
    if (file.status === 'failed' && cases.length === good) failed += 1
  }
  const broken = exit !== 0 || passed + failed === 0
  return { passed, failed: failed === 0 && broken ? 1 : failed }
}

// With `-t` vitest reports what was not chosen as skipped; that is no defect.
function counts(status) {
  return !(isNarrowed && (status === 'skipped' || status === 'pending'))
}

let result = { passed: 0, failed: 1 }
try {
  result = await runTests()
} catch (error) {
  console.error(`npm test: ${error.message}`)
}
process.exitCode = result.failed === 0 ? 0 : 1
console.log(`${result.passed} passed, ${result.failed} failed`)
