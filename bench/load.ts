import { connect, type Socket } from 'node:net'
import { type Asked, answerEnd, requestBytes } from './http.wire.ts'

// A load generator of few instructions: raw keep-alive connections, one request under way on each, answers checked.
// It asks as fast as it is answered; `open.load.ts` asks at a fixed rate.

export type LoadOptions = Asked & {
  readonly connections: number
  readonly durationMs: number
  /** Not counted: the time in which both sides get warm. */
  readonly warmUpMs: number
  /** Where given, it ends when so many answers came, with those of the warm-up, if that is earlier. */
  readonly mostAnswers?: number
  /** Where given, the connections take these in turn instead of `path`. */
  readonly paths?: readonly string[]
  /** What every answer must hold; one that does not is an error, and no work. */
  readonly mustHold: string
}

export type LoadResult = {
  readonly perSecond: number
  readonly answers: number
  /** With those of the warm-up. */
  readonly allAnswers: number
  readonly errors: number
  readonly firstError: string | undefined
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

export const load = async (options: LoadOptions): Promise<LoadResult> => {
  const { port, connections, durationMs, warmUpMs, path, mustHold } = options
  const { mostAnswers = Number.POSITIVE_INFINITY } = options
  const requests = (options.paths ?? [path]).map((one) => requestBytes({ ...options, path: one }))
  const wanted = Buffer.from(mustHold)
  const times: number[] = []
  let allAnswers = 0
  let errors = 0
  let firstError: string | undefined
  let isCounting = false
  let isOver = false
  let enough = (): void => {}
  const isEnough = new Promise<void>((resolve) => {
    enough = resolve
  })

  const runOne = (place: number): Promise<void> =>
    new Promise((resolve, reject) => {
      let rest: Buffer = Buffer.alloc(0)
      let sentAt = 0
      const request = requests[place % requests.length]!
      const socket: Socket = connect(port, '127.0.0.1')
      socket.setNoDelay(true)
      const send = (): void => {
        sentAt = performance.now()
        socket.write(request)
      }
      socket.on('connect', send)
      socket.on('error', reject)
      socket.on('close', () => (isOver ? resolve() : reject(new Error('the server closed a connection'))))
      socket.on('data', (chunk: Buffer) => {
        rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
        const end = answerEnd(rest)
        if (end === undefined) return
        if (isCounting) times.push(performance.now() - sentAt)
        if (rest.indexOf(wanted) < 0) {
          errors++
          firstError ??= rest.toString()
        }
        rest = rest.subarray(end)
        if (++allAnswers >= mostAnswers) {
          isOver = true
          enough()
        }
        if (isOver) socket.end()
        else send()
      })
    })

  const all = Promise.all(Array.from({ length: connections }, (_, place) => runOne(place)))
  const until = (ms: number) => Promise.race([pause(ms), all, isEnough])
  await until(warmUpMs)
  isCounting = true
  const began = performance.now()
  await until(durationMs)
  const seconds = (performance.now() - began) / 1000
  const answers = times.length
  isCounting = false
  isOver = true
  await all
  times.sort((a, b) => a - b)
  const at = (share: number): number =>
    times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Number.NaN
  return {
    perSecond: answers / seconds,
    answers,
    allAnswers,
    errors,
    firstError,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    maxMs: at(1),
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

// As a process of its own: options come as JSON, the result leaves as JSON.
if (process.argv[1] === import.meta.filename) {
  process.stdout.write(JSON.stringify(await load(JSON.parse(process.argv[2]!) as LoadOptions)))
  // The clock of a run that ended early would keep the process.
  process.exitCode = 0
  setImmediate(() => process.exit())
}
