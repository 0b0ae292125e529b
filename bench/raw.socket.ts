import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'

// WebSocket clients of few instructions: frames are written as they were made once, and looked at where they lie. All
// sockets of the process read into the same memory, so that a read costs no allocation, and what is in it is in the cache.

/** Sees a whole message, which lies there only until it returns. */
export type FrameHandler = (bytes: Buffer, from: number, to: number) => void

export type RawSocket = {
  /** Sends what `clientFrame` made. */
  readonly send: (frame: Buffer) => void
  /** Closes it; no frame is handed on from then on. */
  readonly end: () => Promise<void>
  /** What hears frames: may be changed at any time. */
  onFrame: FrameHandler
}

/** The most that one read takes: some hundred messages. */
const READ_BYTES = 262_144
/** What a read before left of a frame stands right before what the next one brings: the longest frame. */
const REST_BYTES = 4_194_304
const memory = Buffer.allocUnsafeSlow(REST_BYTES + READ_BYTES)

/** A whole frame of a client. Its mask is zero, which a server has to apply like any other. */
export const clientFrame = (payload: Buffer, opcode: number): Buffer => {
  const head = Buffer.alloc(payload.length < 126 ? 6 : 8)
  head[0] = 0x80 | opcode
  if (payload.length < 126) head[1] = 0x80 | payload.length
  else {
    head[1] = 0x80 | 126
    head.writeUInt16BE(payload.length, 2)
  }
  return Buffer.concat([head, payload])
}
export const TEXT = 1
export const BINARY = 2
const PING = 9
const PONG = 10
const CLOSE = 8

type Target = {
  readonly port: number
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  /** Called before the frames of each read. */
  readonly onRead?: () => void
}

/** Connects. @throws Error where the server takes no socket; a socket that it closes later ends the process */
export const openRaw = ({ port, path, headers = {}, onRead = () => {} }: Target): Promise<RawSocket> =>
  new Promise((resolve, reject) => {
    let rest: Buffer | undefined
    let isOpen = false
    let isEnding = false
    const read = (length: number): boolean => {
      onRead()
      const from = REST_BYTES - (rest?.length ?? 0)
      if (from < 0) throw new Error(`a frame is longer than ${REST_BYTES} bytes`)
      rest?.copy(memory, from)
      keep(
        isOpen ? frames(from, REST_BYTES + length) : opened(from, REST_BYTES + length),
        REST_BYTES + length,
      )
      return true
    }
    const tcp: Socket = connect({
      port,
      host: '127.0.0.1',
      noDelay: true,
      onread: { buffer: memory.subarray(REST_BYTES), callback: read },
    })
    const closed = new Promise<void>((done) => tcp.on('close', () => done()))
    const raw: RawSocket = {
      send: (frame) => tcp.write(frame),
      end: () => {
        isEnding = true
        tcp.destroy()
        return closed
      },
      onFrame: () => {},
    }
    const fail = (why: string): void => {
      if (isEnding) return
      const error = new Error(why)
      if (isOpen) throw error
      reject(error)
    }
    const head = Object.entries({
      Host: `127.0.0.1:${port}`,
      Upgrade: 'websocket',
      Connection: 'Upgrade',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
      ...headers,
    })
    tcp.on('connect', () =>
      tcp.write(
        `GET ${path} HTTP/1.1\r\n${head.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`,
      ),
    )
    tcp.on('error', (error) => fail(error.message))
    tcp.on('close', () => fail('the server closed a socket'))

    /** Keeps what has to wait for more, for others read into the same memory. */
    const keep = (from: number, to: number): void => {
      rest = from === to ? undefined : Buffer.from(memory.subarray(from, to))
    }
    /** @returns up to where it is done */
    const opened = (from: number, to: number): number => {
      const end = memory.indexOf('\r\n\r\n', from)
      if (end < 0 || end + 4 > to) return from
      if (!memory.toString('latin1', from, from + 13).startsWith('HTTP/1.1 101')) {
        fail(memory.toString('latin1', from, Math.min(to, from + 200)))
        return from
      }
      isOpen = true
      resolve(raw)
      // Whoever waits for the socket gets it before its first frame.
      if (end + 4 < to) queueMicrotask(() => queueMicrotask(() => read(0)))
      return end + 4
    }
    /** @returns up to where frames were whole */
    const frames = (from: number, to: number): number => {
      let at = from
      while (to - at >= 2) {
        const opcode = memory[at]! & 0x0f
        let start = at + 2
        let length = memory[at + 1]!
        if (length === 126) {
          if (to < at + 4) break
          length = memory.readUInt16BE(at + 2)
          start = at + 4
        } else if (length === 127) {
          if (to < at + 10) break
          length = Number(memory.readBigUInt64BE(at + 2))
          start = at + 10
        }
        const end = start + length
        if (to < end) break
        if (opcode === PING) raw.send(clientFrame(memory.subarray(start, end), PONG))
        else if (opcode === CLOSE) fail(`closed with ${length >= 2 ? memory.readUInt16BE(start) : 'no code'}`)
        else if (!isEnding) raw.onFrame(memory, start, end)
        at = end
      }
      return at
    }
  })
