import { execFileSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { fuzzRequests, type Report } from './requests.ts'
import { fuzzSockets, type SocketReport } from './sockets.ts'
import { Target } from './target.ts'
import { fuzzWire, type WireReport } from './wire.ts'

// `npm run fuzz -- --requests 100000 [--seed S] [--sockets 500]`: everything that nobody should send, to the built server.
// The same seed asks the same questions; what they meet also depends on the time that the rounds take.

const { values } = parseArgs({
  options: { requests: { type: 'string' }, seed: { type: 'string' }, sockets: { type: 'string' } },
})
const requests = Number(values.requests ?? 3_000)
const sockets = Number(values.sockets ?? Math.ceil(requests / 100))
const seed = Number(values.seed ?? randomInt(2 ** 31))
if (![requests, sockets, seed].every((one) => Number.isSafeInteger(one) && one >= 0)) {
  process.stderr.write('fuzz: --requests, --sockets and --seed are whole numbers\n')
  process.exit(2)
}

const say = (line: string): void => {
  process.stdout.write(`${line}\n`)
}
const clock = (seconds: number): string =>
  [seconds / 3_600, (seconds / 60) % 60, seconds % 60]
    .map((one) => String(Math.floor(one)).padStart(2, '0'))
    .join(':')

let toldAt = 0
const began = performance.now()
const tell = (what: string, all: number) => (done: number, findings: number) => {
  const now = performance.now()
  const isTerminal = process.stderr.isTTY
  if (done < all && now - toldAt < (isTerminal ? 500 : 10_000)) return
  toldAt = now
  const seconds = (now - began) / 1000
  const left = clock((seconds / done) * (all - done))
  const line = `${done} of ${all} ${what}, ${findings} findings, ${clock(seconds)} gone, ${left} left`
  process.stderr.write(isTerminal && done < all ? `\r${line}\x1b[K` : `${isTerminal ? '\r' : ''}${line}\n`)
}

const showRequests = ({ counts, findings, repeated }: Report): void => {
  say('')
  for (const [name, statuses] of [...counts].sort(([a], [b]) => a.localeCompare(b)))
    say(
      `${name.padEnd(38)} ${[...statuses]
        .sort()
        .map(([status, count]) => `${status}: ${count}`)
        .join('  ')}`,
    )
  if (repeated > 0) say(`${repeated} asked again, because the machine stood still while they were under way`)
  for (const { operation, fault, seed, index, curl, answer, times } of findings) {
    say(`\n${operation}: ${fault} (${times} times)\n  request ${index} of batch ${seed}\n  ${curl}`)
    say(`  ${answer}`)
  }
}
const showOthers = (wire: WireReport, live: SocketReport): void => {
  say('')
  for (const { title, is } of wire.cases) say(`${title.padEnd(60)} ${is}`)
  const closes = [...live.closes].map(([code, count]) => `${code}: ${count}`).join('  ')
  say(`${live.sockets} sockets, ${live.frames} frames, ${live.sold} sold; closed with ${closes}`)
  for (const finding of [...wire.findings, ...live.findings]) say(`  ${finding}`)
}

execFileSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' })
say(`seed ${seed}`)
const target = await Target.start()
try {
  const wire = await fuzzWire(target)
  const live = await fuzzSockets(target, seed, sockets)
  const report = await fuzzRequests(target, seed, requests, tell('requests', requests))
  showRequests(report)
  showOthers(wire, live)
  const findings = report.findings.length + wire.findings.length + live.findings.length
  say(
    `\n${report.requests} requests to ${report.operations} routes, ${wire.cases.length} connections, ${live.sockets} sockets: ${findings} findings, seed ${seed}`,
  )
  process.exitCode = findings === 0 ? 0 : 1
} finally {
  await target.server.stop()
}
