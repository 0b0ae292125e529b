import { connect, type Socket } from 'node:net'

// A load generator of few instructions: raw keep-alive connections, one request under way on each, answers checked.

export type LoadOptions = {
  readonly port: number
  readonly connections: number
  readonly durationMs: number
  /** Not counted: the time in which both sides get warm. */
  readonly warmUpMs: number
  readonly path: string
  /** Where given, the connections take these in turn instead. */
  readonly paths?: readonly string[]
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
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

const END_OF_HEAD = Buffer.from('\r\n\r\n')

export const load = async (options: LoadOptions): Promise<LoadResult> => {
  const { port, connections, durationMs, warmUpMs, path, headers, body, mustHold } = options
  const head = Object.entries({
    Host: `127.0.0.1:${port}`,
    'Content-Length': String(Buffer.byteLength(body)),
    ...headers,
  })
  const requests = (options.paths ?? [path]).map((one) =>
    Buffer.from(
      `POST ${one} HTTP/1.1\r\n${head.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`,
    ),
  )
  const wanted = Buffer.from(mustHold)
  const times: number[] = []
  let allAnswers = 0
  let errors = 0
  let firstError: string | undefined
  let isCounting = false
  let isOver = false

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
        allAnswers++
        if (isCounting) {
          times.push(performance.now() - sentAt)
          if (rest.indexOf(wanted) < 0) {
            errors++
            firstError ??= rest.toString()
          }
        }
        rest = rest.subarray(end)
        if (isOver) socket.end()
        else send()
      })
    })

  const all = Promise.all(Array.from({ length: connections }, (_, place) => runOne(place)))
  await Promise.race([pause(warmUpMs), all])
  isCounting = true
  const began = performance.now()
  await Promise.race([pause(durationMs), all])
  const seconds = (performance.now() - began) / 1000
  isCounting = false
  isOver = true
  await all
  times.sort((a, b) => a - b)
  const at = (share: number): number =>
    times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Number.NaN
  return {
    perSecond: (times.length - errors) / seconds,
    answers: times.length,
    allAnswers,
    errors,
    firstError,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    maxMs: at(1),
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Where the answer at the beginning of these bytes ends; `undefined` while it is not whole. */
const answerEnd = (bytes: Buffer): number | undefined => {
  const head = bytes.indexOf(END_OF_HEAD)
  if (head < 0) return undefined
  const length = /content-length: *(\d+)/i.exec(bytes.toString('latin1', 0, head))
  if (!length) throw new Error('an answer without Content-Length')
  const end = head + 4 + Number(length[1])
  return bytes.length >= end ? end : undefined
}

// As a process of its own: options come as JSON, the result leaves as JSON.
const asked = process.argv[2]
if (asked) process.stdout.write(JSON.stringify(await load(JSON.parse(asked) as LoadOptions)))
