import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { Transform } from 'node:stream'

/**
 * What becomes of calls: they go through, nobody is there, someone takes them and hangs up, or someone takes them and
 * says nothing.
 */
type State = 'plugged' | 'gone' | 'hanging up' | 'silent'

/** A cable to a server, Postgres or another, that a test can pull out, freeze, slow down and plug in again. */
export class Cable {
  readonly url: string
  readonly #target: URL
  readonly #server: Server
  readonly #port: number
  readonly #sockets = new Set<Socket>()
  readonly #lines = new Set<Line>()
  /** Calls that nobody answered, who are still on the line: a frozen server that thaws answers them. */
  readonly #silent = new Set<Socket>()
  #state: State = 'plugged'
  #delayMs = 0

  private constructor(url: string, server: Server) {
    this.#target = new URL(url)
    this.#server = server
    this.#port = (server.address() as AddressInfo).port
    server.on('connection', (near) => this.#take(near))
    const near = new URL(url)
    near.hostname = '127.0.0.1'
    near.port = String(this.#port)
    this.url = near.href.replace(/\/$/, url.endsWith('/') ? '/' : '')
  }

  static async to(url: string): Promise<Cable> {
    const server = createServer({ pauseOnConnect: true, allowHalfOpen: true })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new Cable(url, server)
  }

  async pull(state: Exclude<State, 'plugged'> = 'gone'): Promise<void> {
    const wasListening = this.#server.listening
    this.#state = state
    const closed = state === 'gone' && wasListening ? once(this.#server, 'close') : undefined
    if (closed) this.#server.close()
    this.cut()
    await closed
  }

  async plug(): Promise<void> {
    this.#state = 'plugged'
    this.#delayMs = 0
    for (const line of this.#lines) line.hold(false)
    for (const socket of this.#silent) this.#forward(socket)
    this.#silent.clear()
    if (this.#server.listening) return
    this.#server.listen(this.#port, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  /** Breaks all connections, or some of them; new ones go through as before. */
  cut(share = 1): void {
    for (const socket of this.#sockets) if (share === 1 || Math.random() < share) socket.destroy()
  }

  /** Nothing passes in either direction, and nobody hangs up; it all arrives when the cable is plugged in again. */
  freeze(): void {
    this.#state = 'silent'
    for (const line of this.#lines) line.hold(true)
  }

  /** All that passes takes so much longer, each way, until the cable is plugged in again. */
  slow(delayMs: number): void {
    this.#delayMs = delayMs
  }

  #take(near: Socket): void {
    this.#sockets.add(near)
    near.on('close', () => {
      this.#sockets.delete(near)
      this.#silent.delete(near)
    })
    near.on('error', () => {})
    if (this.#state === 'hanging up') near.destroy()
    if (this.#state === 'silent') this.#silent.add(near)
    if (this.#state === 'plugged') this.#forward(near)
  }

  #forward(near: Socket): void {
    const far = connect(Number(this.#target.port), this.#target.hostname)
    const lines = [new Line(() => this.#delayMs), new Line(() => this.#delayMs)] as const
    for (const line of lines) this.#lines.add(line)
    far.on('error', () => near.destroy())
    // What was said before it hung up is still on its way.
    far.on('close', () => setTimeout(() => near.destroy(), this.#delayMs))
    near.on('close', () => {
      far.destroy()
      for (const line of lines) {
        this.#lines.delete(line)
        line.destroy()
      }
    })
    near.pipe(lines[0]).pipe(far).pipe(lines[1]).pipe(near)
  }
}

/** One direction of a connection. */
class Line extends Transform {
  readonly #delayMs: () => number
  #isHeld = false
  #go: (() => void) | undefined

  constructor(delayMs: () => number) {
    super()
    this.#delayMs = delayMs
    this.on('error', () => {})
  }

  hold(isHeld: boolean): void {
    this.#isHeld = isHeld
    if (isHeld) return
    this.#go?.()
    this.#go = undefined
  }

  override _transform(chunk: Buffer, _: BufferEncoding, done: (error: null, chunk: Buffer) => void): void {
    const pass = (): void => {
      if (this.#isHeld) this.#go = pass
      else done(null, chunk)
    }
    const delayMs = this.#delayMs()
    if (delayMs > 0) setTimeout(pass, delayMs)
    else pass()
  }
}
