import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { runLoad, startEcho, startGalop } from './servers.ts'

// Selling over HTTP against a bare JSON echo on the same server package, in turn, in the same minute. The ratio is the
// figure: rates belong to the machine. `npm run bench -- --short` checks that the bench itself works.

const isShort = process.argv.includes('--short')
const TURNS = isShort ? 1 : 3
const CONNECTIONS = 64
const durationMs = isShort ? 500 : 4_000
const warmUpMs = isShort ? 200 : 1_000
const SALE = JSON.stringify({
  bets: [
    { participant: { number: 1, name: 'Cheval 1', coeff: 2.5 }, value: 10_000 },
    { participant: { number: 3, name: 'Cheval 3', coeff: 5.5 }, value: 5_000 },
  ],
})

const say = (line: string): void => {
  process.stdout.write(`${line}\n`)
}
const residentMb = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024

/** Rows of the turn before are still being written: neither side is measured meanwhile. */
const untilStored = async (port: number): Promise<void> => {
  const until = Date.now() + 120_000
  for (;;) {
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
    if (/^galop_receipts_not_stored 0$/m.test(text)) return
    if (Date.now() > until) throw new Error('the receipts of a turn did not reach Postgres within 120 s')
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

const middle = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!

execFileSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' })
const echo = await startEcho()
const galop = await startGalop()
const memoryBefore = residentMb(galop.pid)
const common = { connections: CONNECTIONS, durationMs, warmUpMs, body: SALE }
const json = { 'Content-Type': 'application/json' }
const ratios: number[] = []
const rates = { echo: [] as number[], sell: [] as number[] }
const p50: number[] = []
const p99: number[] = []
try {
  for (let turn = 1; turn <= TURNS; turn++) {
    await untilStored(galop.port)
    const bare = await runLoad({
      ...common,
      port: echo.port,
      path: '/echo',
      headers: json,
      mustHold: '"bets"',
    })
    const sold = await runLoad({
      ...common,
      port: galop.port,
      path: '/api/v1/receipts/?action=add',
      headers: { ...json, Authorization: `Bearer ${galop.token}` },
      mustHold: '"success":true',
    })
    for (const result of [bare, sold])
      if (result.errors > 0)
        throw new Error(`${result.errors} wrong answers, the first: ${result.firstError}`)
    ratios.push(sold.perSecond / bare.perSecond)
    rates.echo.push(bare.perSecond)
    rates.sell.push(sold.perSecond)
    p50.push(sold.p50Ms)
    p99.push(sold.p99Ms)
    say(
      `turn ${turn}/${TURNS}: echo ${bare.perSecond.toFixed(0)}/s, sell ${sold.perSecond.toFixed(0)}/s ` +
        `(p50 ${sold.p50Ms.toFixed(2)} ms, p99 ${sold.p99Ms.toFixed(2)} ms), ratio ${ratios.at(-1)!.toFixed(3)}`,
    )
  }
  say('')
  say('| work | rate | against bare Hono echo | spread | p50 | p99 |')
  say('|---|---|---|---|---|---|')
  say(
    `| sell over HTTP, durable, ${CONNECTIONS} connections, two bets | ${middle(rates.sell).toFixed(0)}/s of ${middle(rates.echo).toFixed(0)}/s ` +
      `| ${middle(ratios).toFixed(3)} | ${Math.min(...ratios).toFixed(3)}–${Math.max(...ratios).toFixed(3)} ` +
      `| ${middle(p50).toFixed(2)} ms | ${middle(p99).toFixed(2)} ms |`,
  )
  say(
    `memory of the server: ${memoryBefore.toFixed(0)} MB empty, ${residentMb(galop.pid).toFixed(0)} MB after the run`,
  )
} finally {
  await Promise.all([echo.stop(), galop.stop()])
}
