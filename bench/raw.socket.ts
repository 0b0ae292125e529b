import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'

// WebSocket clients of few instructions: frames are written as they were made once, and looked at where they lie.

export type FrameHandler = (bytes: Buffer, from: number, to: number) => void

export type RawSocket = {
  /** Sends what `clientFrame` made. */
  readonly send: (frame: Buffer) => void
  /** Closes it; no frame is handed on from then on. */
  readonly end: () => Promise<void>
  /** What hears frames: may be changed at any time. */
  onFrame: FrameHandler
}

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
}

/** Connects. @throws Error where the server takes no socket; a socket that it closes later ends the process */
export const openRaw = ({ port, path, headers = {} }: Target): Promise<RawSocket> =>
  new Promise((resolve, reject) => {
    const tcp: Socket = connect(port, '127.0.0.1')
    tcp.setNoDelay(true)
    let isEnding = false
    let isOpen = false
    let rest: Buffer | undefined
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

    const opened = (bytes: Buffer): Buffer | undefined => {
      const end = bytes.indexOf('\r\n\r\n')
      if (end < 0) return undefined
      if (!bytes.toString('latin1', 0, 13).startsWith('HTTP/1.1 101')) {
        fail(bytes.toString('latin1', 0, 200))
        return undefined
      }
      isOpen = true
      resolve(raw)
      return bytes.subarray(end + 4)
    }
    const frames = (bytes: Buffer): Buffer | undefined => {
      let at = 0
      while (bytes.length - at >= 2) {
        const opcode = bytes[at]! & 0x0f
        let from = at + 2
        let length = bytes[at + 1]!
        if (length === 126) {
          if (bytes.length < at + 4) break
          length = bytes.readUInt16BE(at + 2)
          from = at + 4
        } else if (length === 127) {
          if (bytes.length < at + 10) break
          length = Number(bytes.readBigUInt64BE(at + 2))
          from = at + 10
        }
        const to = from + length
        if (bytes.length < to) break
        if (opcode === PING) raw.send(clientFrame(bytes.subarray(from, to), PONG))
        else if (opcode === CLOSE) fail(`closed with ${length >= 2 ? bytes.readUInt16BE(from) : 'no code'}`)
        else if (!isEnding) raw.onFrame(bytes, from, to)
        at = to
      }
      return at === bytes.length ? undefined : bytes.subarray(at)
    }
    tcp.on('data', (chunk: Buffer) => {
      let bytes = rest ? Buffer.concat([rest, chunk]) : chunk
      rest = undefined
      if (!isOpen) {
        const after = opened(bytes)
        if (!after) {
          rest = bytes
          return
        }
        // Whoever waits for the socket gets it before its first frame.
        bytes = after
        if (bytes.length === 0) return
        queueMicrotask(() =>
          queueMicrotask(() => (rest = frames(rest ? Buffer.concat([bytes, rest]) : bytes))),
        )
        return
      }
      rest = frames(bytes)
    })
  })
