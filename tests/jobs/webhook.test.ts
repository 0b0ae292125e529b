import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { Webhook } from '../../src/jobs/webhook.ts'

type Received = { readonly id: string; readonly n: number }

/** A receiver on a port of its own. It answers as it is told, and may be down at first. */
class Receiver {
  readonly bodies: Received[] = []
  /** Statuses of the next answers; 200 when there are none left, and no answer at all for 0. */
  readonly answers: number[] = []
  #server: Server | undefined
  port = 0

  async up(): Promise<void> {
    this.#server = createServer(async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      this.bodies.push(JSON.parse(Buffer.concat(chunks).toString()) as Received)
      const status = this.answers.shift() ?? 200
      if (status === 0) request.socket.destroy()
      else response.writeHead(status, status === 302 ? { location: 'http://192.0.2.1/' } : {}).end('{}')
    })
    await new Promise<void>((resolve) => this.#server!.listen(this.port, '127.0.0.1', resolve))
    this.port = (this.#server.address() as AddressInfo).port
  }

  async down(): Promise<void> {
    this.#server?.closeAllConnections()
    await new Promise((resolve) => (this.#server ? this.#server.close(resolve) : resolve(undefined)))
    this.#server = undefined
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/hook?token=s3cret`
  }
}

const receiver = new Receiver()
let webhook: Webhook
let troubles: string[] = []
afterEach(async () => {
  await webhook.stop()
  await receiver.down()
  receiver.bodies.length = 0
  receiver.answers.length = 0
})

const open = (now: () => number = Date.now) => {
  troubles = []
  webhook = new Webhook({
    url: receiver.url,
    now,
    onTrouble: (what, error) => troubles.push(`${what}: ${error.message}`),
    firstWaitMs: 5,
  })
}
const received = (count: number) =>
  vi.waitFor(() => expect(receiver.bodies.length).toBeGreaterThanOrEqual(count), {
    timeout: 10_000,
    interval: 5,
  })

describe('a webhook', () => {
  it('U1 U2: that is down at first gets everything in order when it is up, and nobody waited', async () => {
    await receiver.up()
    await receiver.down()
    open()
    for (let n = 1; n <= 3; n++) webhook.send(`id-${n}`, { n })
    await vi.waitFor(() => expect(troubles.length).toBeGreaterThan(2), { timeout: 10_000, interval: 5 })
    expect(receiver.bodies).toEqual([])
    await receiver.up()
    await received(3)
    expect(receiver.bodies).toEqual([
      { id: 'id-1', n: 1 },
      { id: 'id-2', n: 2 },
      { id: 'id-3', n: 3 },
    ])
  })

  it('U2: is sent again, under the same id, what it refused, broke off, or sent elsewhere', async () => {
    await receiver.up()
    receiver.answers.push(500, 0, 404, 302)
    open()
    webhook.send('one', { n: 1 })
    webhook.send('two', { n: 2 })
    await received(6)
    expect(receiver.bodies.map(({ id }) => id)).toEqual(['one', 'one', 'one', 'one', 'one', 'two'])
  })

  it('U2: that takes nothing for hours is not told any more what is no news', async () => {
    await receiver.up()
    receiver.answers.push(500, 500)
    // Hours go by between its first refusal and its second.
    open(() => (receiver.bodies.length > 1 ? 7 * 3_600_000 : 0))
    webhook.send('old', { n: 1 })
    webhook.send('new', { n: 2 })
    await received(3)
    expect(receiver.bodies.map(({ id }) => id)).toEqual(['old', 'old', 'new'])
    expect(troubles.at(-1)).toMatch(/dropped/)
  })

  it('U1: keeps no more than it may while nobody takes anything, the latest', async () => {
    await receiver.up()
    await receiver.down()
    open()
    for (let n = 1; n <= 500; n++) webhook.send(`id-${n}`, { n })
    await receiver.up()
    await vi.waitFor(() => expect(receiver.bodies.at(-1)?.n).toBe(500), { timeout: 10_000, interval: 5 })
    expect(receiver.bodies.length).toBeLessThanOrEqual(201)
  })

  it('U3: has no secret of its address in what is said of its trouble', async () => {
    await receiver.up()
    await receiver.down()
    open()
    webhook.send('one', { n: 1 })
    await vi.waitFor(() => expect(troubles.length).toBeGreaterThan(0))
    expect(troubles.join()).toMatch(/ECONNREFUSED/)
    expect(troubles.join()).not.toMatch(/s3cret|127\.0\.0\.1/)
  })

  it('ends at once when it is stopped', async () => {
    await receiver.up()
    await receiver.down()
    open()
    webhook.send('one', { n: 1 })
    await webhook.stop()
    webhook.send('two', { n: 2 })
    await receiver.up()
    expect(receiver.bodies).toEqual([])
  })
})
