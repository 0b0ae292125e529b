import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import WebSocket from 'ws'
import { flameGraph } from './flame.ts'
import { byFunction, byGroup, type CpuProfile, type Share } from './profile.groups.ts'
import { inSources } from './profile.sources.ts'
import { CONNECTIONS, echoing, selling } from './sale.ts'
import { freePort, runLoad, startGalop, startServer } from './servers.ts'

// `npm run profile`: where the time of a sale goes. Sells under load on the built server, looks at it by the inspector
// meanwhile, and leaves a profile for Chrome's DevTools or speedscope, a flame graph and two tables in `profile/`.
// `-- --seconds 20` looks for longer, `-- --echo` at the yardstick of row 1 instead.

const FOLDER = 'profile'
const WARM_UP_MS = 3_000
/** The generator is a process that has to start. */
const START_MS = 1_500
const FUNCTIONS = 30
const SAMPLE_US = 200

const say = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

/** Asks the inspector of another process. */
const connectInspector = async (port: number) => {
  const [target] = (await (await fetch(`http://127.0.0.1:${port}/json/list`)).json()) as {
    webSocketDebuggerUrl: string
  }[]
  const socket = new WebSocket(target!.webSocketDebuggerUrl, { perMessageDeflate: false, maxPayload: 0 })
  const waiting = new Map<number, (result: unknown) => void>()
  let asked = 0
  socket.on('message', (data: Buffer) => {
    const { id, result } = JSON.parse(data.toString()) as { id: number; result: unknown }
    waiting.get(id)?.(result)
  })
  await new Promise((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
  })
  const ask = (method: string, params: object = {}): Promise<unknown> =>
    new Promise((resolve) => {
      const id = ++asked
      waiting.set(id, resolve)
      socket.send(JSON.stringify({ id, method, params }))
    })
  return { ask, close: () => socket.close() }
}

const tableOf = (shares: readonly Share[], sales: number): string[] => {
  const all = shares.reduce((sum, { ms }) => sum + ms, 0)
  const inAll = ((all * 1000) / sales).toFixed(2).padStart(7)
  return [
    `100.0 % ${inAll} µs  in all`,
    ...shares.map(
      ({ name, ms }) =>
        `${((ms / all) * 100).toFixed(1).padStart(5)} % ${((ms * 1000) / sales).toFixed(2).padStart(7)} µs  ${name}`,
    ),
  ]
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

const profile = async (seconds: number, isYardstick: boolean): Promise<void> => {
  execFileSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' })
  const inspectorPort = await freePort()
  const nodeOptions = [`--inspect=127.0.0.1:${inspectorPort}`]
  const echo = isYardstick ? await startServer('echo.server.ts', { nodeOptions }) : undefined
  const galop = isYardstick ? undefined : await startGalop({}, { nodeOptions })
  try {
    const inspector = await connectInspector(inspectorPort)
    await inspector.ask('Profiler.enable')
    await inspector.ask('Profiler.setSamplingInterval', { interval: SAMPLE_US })
    say(`asking for ${seconds} s, after ${WARM_UP_MS / 1000} s in which the server gets warm`)
    const load = runLoad({
      ...(galop ? selling(galop) : echoing(echo!)),
      connections: CONNECTIONS,
      warmUpMs: WARM_UP_MS,
      durationMs: START_MS + seconds * 1000,
    })
    // In one run, for as soon as nobody asks any more the server does what it had put off.
    await pause(START_MS + WARM_UP_MS)
    await inspector.ask('Profiler.start')
    await pause(seconds * 1000)
    const { profile: built } = (await inspector.ask('Profiler.stop')) as { profile: CpuProfile }
    const found = inSources(built)
    const answered = await load
    inspector.close()

    const answers = (answered.perSecond * (found.endTime - found.startTime)) / 1e6
    const what = isYardstick ? 'echo' : 'galop'
    const text = [
      `${what}: ${Math.round(answered.perSecond)} answers/s while it was looked at, ${CONNECTIONS} connections; µs of the main thread for each`,
      '',
      'Where the time goes',
      ...tableOf(byGroup(found), answers),
      '',
      `The ${FUNCTIONS} functions with the most time of their own`,
      ...tableOf(byFunction(found), answers).slice(0, FUNCTIONS),
    ].join('\n')
    mkdirSync(FOLDER, { recursive: true })
    writeFileSync(`${FOLDER}/${what}.cpuprofile`, JSON.stringify(found))
    writeFileSync(`${FOLDER}/${what}.svg`, flameGraph(found))
    writeFileSync(`${FOLDER}/${what}.txt`, `${text}\n`)
    say(`\n${text}\n`)
    say(
      `${FOLDER}/${what}.cpuprofile opens in Chrome (DevTools, Performance) and at speedscope.app, ${FOLDER}/${what}.svg in any browser`,
    )
  } finally {
    await Promise.all([galop?.stop(), echo?.stop()])
  }
}

const args = process.argv.slice(2)
const at = args.indexOf('--seconds')
const seconds = at < 0 ? 8 : Number(args[at + 1])
if (!(seconds > 0)) {
  process.stderr.write('profile: --seconds takes a number\n')
  process.exitCode = 1
} else await profile(seconds, args.includes('--echo'))
