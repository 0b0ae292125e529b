import { BINARY, clientFrame, openRaw, type RawSocket, TEXT } from './raw.socket.ts'

// A load generator for commands by socket: so many clients, each with so many commands under way, every answer looked at.

/** How to become a client of a server. */
export type Entrance =
  | { readonly kind: 'galop'; readonly token: string }
  | { readonly kind: 'colyseus'; readonly room: string }
  | { readonly kind: 'bare' }

export type CommandLoadOptions = {
  readonly port: number
  readonly entrance: Entrance
  readonly clients: number
  readonly warmUpMs: number
  readonly durationMs: number
  /** A message for each command that a client has under way, 26 at most, as base64: its letter is its id. */
  readonly messages: readonly string[]
  /** What every answer must hold, as base64. */
  readonly mustHold: string
  /** Where in an answer the letter of its question stands. */
  readonly letterAt: number
}

export type CommandLoadResult = {
  readonly perSecond: number
  readonly answers: number
  readonly errors: number
  readonly firstError: string | undefined
  readonly p50Ms: number
  readonly p99Ms: number
}

const FIRST_LETTER = 0x41
/** What Colyseus calls the message that lets a client in, and the client's answer to it. */
const JOIN_ROOM = 10

const pathOf = async (port: number, entrance: Entrance): Promise<string> => {
  if (entrance.kind !== 'colyseus') return '/ws?topics='
  const answer = await fetch(`http://127.0.0.1:${port}/matchmake/joinOrCreate/${entrance.room}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: '{}',
  })
  const seat = (await answer.json()) as { processId: string; roomId: string; sessionId: string }
  return `/${seat.processId}/${seat.roomId}?sessionId=${seat.sessionId}`
}

/** Opens a socket that may send commands. */
export const enter = async (
  port: number,
  entrance: Entrance,
  onRead: () => void = () => {},
): Promise<RawSocket> => {
  const headers: Record<string, string> =
    entrance.kind === 'galop' ? { Authorization: `Bearer ${entrance.token}` } : {}
  const raw = await openRaw({ port, path: await pathOf(port, entrance), headers, onRead })
  if (entrance.kind === 'bare') return raw
  await new Promise<void>((resolve) => {
    raw.onFrame = (bytes, from) => {
      if (entrance.kind === 'colyseus') {
        if (bytes[from] !== JOIN_ROOM) return
        raw.send(clientFrame(Buffer.from([JOIN_ROOM]), BINARY))
      }
      resolve()
    }
  })
  return raw
}

export const commandLoad = async (options: CommandLoadOptions): Promise<CommandLoadResult> => {
  const { port, entrance, clients, warmUpMs, durationMs } = options
  const opcode = entrance.kind === 'colyseus' ? BINARY : TEXT
  const messages = options.messages.map((text) => clientFrame(Buffer.from(text, 'base64'), opcode))
  const wanted = Buffer.from(options.mustHold, 'base64')
  const times: number[] = []
  let errors = 0
  let firstError: string | undefined
  let isCounting = false
  let isOver = false

  const sockets: RawSocket[] = []
  for (let n = 0; n < clients; n++) sockets.push(await enter(port, entrance))
  for (const socket of sockets) {
    const sentAt = new Float64Array(messages.length).fill(Number.NaN)
    const send = (place: number): void => {
      sentAt[place] = performance.now()
      socket.send(messages[place]!)
    }
    socket.onFrame = (bytes, from, to) => {
      const place = bytes[from + options.letterAt]! - FIRST_LETTER
      const at = bytes.indexOf(wanted, from)
      const began = sentAt[place]
      // An answer to what was not asked, or asked once and answered twice, has no time of its question.
      const isRight = at >= 0 && at < to && began !== undefined && !Number.isNaN(began)
      if (!isRight) {
        errors++
        firstError ??= bytes.toString('latin1', from, Math.min(to, from + 500))
        return
      }
      if (isCounting) times.push(performance.now() - began)
      sentAt[place] = Number.NaN
      if (!isOver) send(place)
    }
    for (let place = 0; place < messages.length; place++) send(place)
  }
  await pause(warmUpMs)
  isCounting = true
  const began = performance.now()
  await pause(durationMs)
  const seconds = (performance.now() - began) / 1000
  isCounting = false
  isOver = true
  await pause(200)
  await Promise.all(sockets.map((socket) => socket.end()))
  const answers = times.length
  times.sort((a, b) => a - b)
  const at = (share: number): number => times[Math.floor(answers * share)] ?? Number.NaN
  return { perSecond: answers / seconds, answers, errors, firstError, p50Ms: at(0.5), p99Ms: at(0.99) }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

if (process.argv[1] === import.meta.filename)
  process.stdout.write(JSON.stringify(await commandLoad(JSON.parse(process.argv[2]!) as CommandLoadOptions)))
