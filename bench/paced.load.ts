import { type CommandLoadOptions, enter } from './command.load.ts'
import { clientFrame, TEXT } from './raw.socket.ts'

// Commands at a fixed rate, on a few sockets, whether or not they are answered in time. Every answer is looked at.

export type PacedOptions = Pick<CommandLoadOptions, 'port' | 'entrance' | 'mustHold'> & {
  /** The message, as base64. */
  readonly message: string
  readonly perSecond: number
  readonly durationMs: number
}

export type PacedResult = {
  readonly answers: number
  readonly errors: number
  readonly firstError: string | undefined
}

const SOCKETS = 64
/** Of one socket; with it two seconds may be under way before this process asks later than it should. */
const UNDER_WAY = 32
/** After the last question. */
const PATIENCE_MS = 10_000

export const pacedLoad = async (options: PacedOptions): Promise<PacedResult> => {
  const { port, entrance, perSecond, durationMs } = options
  const frame = clientFrame(Buffer.from(options.message, 'base64'), TEXT)
  const wanted = Buffer.from(options.mustHold, 'base64')
  let answers = 0
  let errors = 0
  let firstError: string | undefined
  const sockets = await Promise.all(Array.from({ length: SOCKETS }, () => enter(port, entrance)))
  const underWay = sockets.map(() => 0)
  for (const [i, socket] of sockets.entries())
    socket.onFrame = (bytes, from, to) => {
      underWay[i]!--
      const at = bytes.indexOf(wanted, from)
      if (at >= 0 && at < to) answers++
      else {
        errors++
        firstError ??= bytes.toString('latin1', from, Math.min(to, from + 500))
      }
    }
  const all = Math.floor((perSecond * durationMs) / 1000)
  const began = performance.now()
  let asked = 0
  while (asked < all) {
    const due = Math.min(all, Math.floor(((performance.now() - began) * perSecond) / 1000))
    for (let tries = 0; asked < due && tries < SOCKETS; tries++) {
      const i = (asked + tries) % SOCKETS
      if (underWay[i]! >= UNDER_WAY) continue
      underWay[i]!++
      sockets[i]!.send(frame)
      asked++
      tries = -1
    }
    await pause(1)
  }
  const until = performance.now() + PATIENCE_MS
  while (answers + errors < all && performance.now() < until) await pause(10)
  await Promise.all(sockets.map((socket) => socket.end()))
  if (answers + errors < all) {
    errors += all - answers - errors
    firstError ??= 'no answer came'
  }
  return { answers, errors, firstError }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

if (process.argv[1] === import.meta.filename)
  process.stdout.write(JSON.stringify(await pacedLoad(JSON.parse(process.argv[2]!) as PacedOptions)))
