// A Redis of the test's own: on a free port of 127.0.0.1, with its data in a directory that goes when it stops.
//   1. It never touches a Redis that it did not start.
//   2. It does not outlive the test process.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const startTimeoutMs = 15_000
const probeIntervalMs = 10

export type TestRedis = {
  readonly url: string
  readonly port: number
  /** The process of now: a restart changes it. */
  readonly pid: number
  /** Ends it in peace and removes its data. Harmless when repeated. */
  stop(): Promise<void>
  /** `kill -9`: as a crash would. */
  kill(): Promise<void>
  /** The connections stay open and nobody answers. */
  pause(): void
  resume(): void
  /** Starts again on the same port and directory; ends it in peace first if it runs. */
  restart(): Promise<void>
}

/** `durable` keeps every acknowledged write through `kill` and `restart`. */
export async function startTestRedis({ durable = false } = {}): Promise<TestRedis> {
  const directory = await mkdtemp(join(tmpdir(), 'galop-redis-'))
  const port = await freePort()
  const removeData = () => rm(directory, { recursive: true, force: true })
  let child = await startServer(port, directory, durable).catch(async (fault) => {
    await removeData()
    throw fault
  })
  let isStopped = false

  const end = async (signal: 'SIGTERM' | 'SIGKILL') => {
    if (!isRunning(child)) return
    const exited = once(child, 'exit')
    child.kill(signal)
    child.kill('SIGCONT')
    await exited
  }

  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    get pid() {
      return child.pid!
    },
    async stop() {
      isStopped = true
      await end('SIGTERM')
      await removeData()
    },
    kill: () => end('SIGKILL'),
    pause() {
      child.kill('SIGSTOP')
    },
    resume() {
      child.kill('SIGCONT')
    },
    async restart() {
      if (isStopped) throw new Error('This Redis was stopped for good and its data are gone')
      await end('SIGTERM')
      child = await startServer(port, directory, durable)
    },
  }
}

async function startServer(port: number, directory: string, durable: boolean): Promise<ChildProcess> {
  const program = process.env.REDIS_SERVER_PATH || 'redis-server'
  const persistence = durable ? ['--appendonly', 'yes', '--appendfsync', 'always'] : ['--appendonly', 'no']
  const place = ['--bind', '127.0.0.1', '--port', `${port}`, '--dir', directory, '--daemonize', 'no']
  const child = spawn(
    program,
    [...place, '--maxmemory-policy', 'noeviction', '--save', '', ...persistence, '--loglevel', 'warning'],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data: Buffer) => {
      output += data.toString()
    })
  }
  let fault: Error | undefined
  child.on('error', (error) => {
    fault = error
  })
  const killWithProcess = () => child.kill('SIGKILL')
  process.once('exit', killWithProcess)
  child.once('exit', () => process.off('exit', killWithProcess))

  const deadlineMs = Date.now() + startTimeoutMs
  while (Date.now() < deadlineMs) {
    if (fault !== undefined) throw new Error(`${program} could not be started`, { cause: fault })
    if (!isRunning(child)) throw new Error(`${program} ended at once: ${output}`)
    // A stranger on that port would answer too; then our own child has ended, and says why.
    if ((await answersPing(port)) && isRunning(child)) return child
    await delay(probeIntervalMs)
  }
  child.kill('SIGKILL')
  throw new Error(`${program} did not answer within ${startTimeoutMs} ms: ${output}`)
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null
}

function answersPing(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'))
    const answer = (is: boolean) => {
      socket.destroy()
      resolve(is)
    }
    socket.setTimeout(1000, () => answer(false))
    socket.on('error', () => answer(false))
    socket.on('close', () => answer(false))
    // While it loads its data a Redis answers `-LOADING`.
    socket.once('data', (data) => answer(data.toString().startsWith('+PONG')))
  })
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('The system gave no port')
  return address.port
}
