import { connect, type Socket } from 'node:net'
import { type Asked, answerEnd, requestBytes } from './http.wire.ts'

// A load generator that asks at a fixed rate, whether or not it is answered. The time of an answer counts from the moment
// at which its question was due, so a server that pauses cannot hide that by not being asked meanwhile; nor can this
// process hide its own lateness, which is told beside.

export type OpenLoadOptions = Asked & {
  readonly perSecond: number
  readonly durationMs: number
  readonly warmUpMs: number
  /** What every answer must hold; one that does not is an error, and no work. */
  readonly mustHold: string
}

export type OpenLoadResult = {
  readonly answers: number
  readonly errors: number
  readonly firstError: string | undefined
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  /** When that one was due, in milliseconds since 1970. */
  readonly maxAt: number
  /** The most that this process itself sent too late. */
  readonly ownMaxMs: number
}

/** What finds all of them in use waits here, and its time counts. */
const CONNECTIONS = 128

export const openLoad = async (options: OpenLoadOptions): Promise<OpenLoadResult> => {
  const { port, perSecond, durationMs, warmUpMs, mustHold } = options
  const request = requestBytes(options)
  const wanted = Buffer.from(mustHold)
  const times: number[] = []
  const idle: Lane[] = []
  const late: number[] = []
  let underWay = 0
  let errors = 0
  let firstError: string | undefined
  let maxMs = 0
  let maxAt = 0
  let ownMaxMs = 0
  let countFrom = Number.POSITIVE_INFINITY
  let fault: Error | undefined

  const count = (dueAt: number): void => {
    if (dueAt < countFrom) return
    const ms = performance.now() - dueAt
    times.push(ms)
    if (ms <= maxMs) return
    maxMs = ms
    maxAt = performance.timeOrigin + dueAt
  }

  type Lane = { ask(dueAt: number): void; end(): void }
  const openLane = (): Promise<Lane> =>
    new Promise((resolve, reject) => {
      let rest: Buffer = Buffer.alloc(0)
      let dueAt = 0
      const socket: Socket = connect(port, '127.0.0.1')
      socket.setNoDelay(true)
      const lane: Lane = {
        ask: (due) => {
          dueAt = due
          underWay++
          socket.write(request)
        },
        end: () => socket.end(),
      }
      socket.on('connect', () => resolve(lane))
      socket.on('error', (error) => {
        fault ??= error
        reject(error)
      })
      socket.on('data', (chunk: Buffer) => {
        rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
        const end = answerEnd(rest)
        if (end === undefined) return
        underWay--
        if (rest.indexOf(wanted) < 0) {
          errors++
          firstError ??= rest.toString()
        }
        rest = rest.subarray(end)
        count(dueAt)
        const next = late.shift()
        if (next === undefined) idle.push(lane)
        else lane.ask(next)
      })
    })

  idle.push(...(await Promise.all(Array.from({ length: CONNECTIONS }, openLane))))
  const began = performance.now()
  const endsAt = began + warmUpMs + durationMs
  countFrom = began + warmUpMs
  let asked = 0
  const askDue = (now: number): void => {
    for (; ; asked++) {
      const dueAt = began + (asked * 1000) / perSecond
      if (dueAt > now || dueAt >= endsAt) return
      if (dueAt >= countFrom) ownMaxMs = Math.max(ownMaxMs, now - dueAt)
      const lane = idle.pop()
      if (lane) lane.ask(dueAt)
      else late.push(dueAt)
    }
  }
  while (performance.now() < endsAt && !fault) {
    askDue(performance.now())
    await pause(1)
  }
  const latest = performance.now() + LAST_ANSWER_MS
  while (underWay + late.length > 0 && performance.now() < latest && !fault) await pause(5)
  if (underWay + late.length > 0)
    fault ??= new Error(`${underWay + late.length} questions were not answered within ${LAST_ANSWER_MS} ms`)
  if (fault) throw fault
  for (const lane of idle) lane.end()
  times.sort((a, b) => a - b)
  const at = (share: number): number =>
    times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Number.NaN
  return {
    answers: times.length,
    errors,
    firstError,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    maxMs,
    maxAt,
    ownMaxMs,
  }
}

const LAST_ANSWER_MS = 10_000

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

if (process.argv[1] === import.meta.filename)
  process.stdout.write(JSON.stringify(await openLoad(JSON.parse(process.argv[2]!) as OpenLoadOptions)))
