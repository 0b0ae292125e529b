import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/**
 * What becomes of calls to Postgres: they go through, nobody is there, someone takes them and hangs up, or someone takes
 * them and says nothing.
 */
type State = 'plugged' | 'gone' | 'hanging up' | 'silent'

/** A cable to Postgres that a test can pull out and plug in again. */
export class PostgresCable {
  readonly url: string
  readonly #target: URL
  readonly #server: Server
  readonly #port: number
  readonly #sockets = new Set<Socket>()
  /** Calls that nobody answered, who are still on the line: a frozen Postgres that thaws answers them. */
  readonly #silent = new Set<Socket>()
  #state: State = 'plugged'

  private constructor(postgresUrl: string, server: Server) {
    this.#target = new URL(postgresUrl)
    this.#server = server
    this.#port = (server.address() as AddressInfo).port
    server.on('connection', (near) => this.#take(near))
    const url = new URL(postgresUrl)
    url.hostname = '127.0.0.1'
    url.port = String(this.#port)
    this.url = url.href
  }

  static async to(postgresUrl: string): Promise<PostgresCable> {
    const server = createServer({ pauseOnConnect: true })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new PostgresCable(postgresUrl, server)
  }

  async pull(state: Exclude<State, 'plugged'> = 'gone'): Promise<void> {
    const wasListening = this.#server.listening
    this.#state = state
    const closed = state === 'gone' && wasListening ? once(this.#server, 'close') : undefined
    if (closed) this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  async plug(): Promise<void> {
    this.#state = 'plugged'
    for (const socket of this.#silent) this.#forward(socket)
    this.#silent.clear()
    if (this.#server.listening) return
    this.#server.listen(this.#port, '127.0.0.1')
    await once(this.#server, 'listening')
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
    far.on('error', () => near.destroy())
    far.on('close', () => near.destroy())
    near.on('close', () => far.destroy())
    near.pipe(far).pipe(near)
  }
}
