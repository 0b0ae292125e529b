// Alarms of a real server, and a receiver of its webhook that is down at first.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase } from '../support/postgres.ts'
import { eventually, startServer, type TestServer } from '../support/server.ts'
import { type Json, Station } from '../support/station.ts'

let database: Awaited<ReturnType<typeof createTestDatabase>>
let server: TestServer
let admin: Station
let receiver: Server
let port: number
const received: Json[] = []

const listen = async (): Promise<void> => {
  receiver = createServer(async (request, response) => {
    let text = ''
    for await (const chunk of request) text += chunk
    received.push(JSON.parse(text))
    response.end()
  })
  await new Promise<void>((resolve) => receiver.listen(port ?? 0, '127.0.0.1', resolve))
  port = (receiver.address() as AddressInfo).port
}
const close = () => new Promise((resolve) => receiver.close(resolve))

beforeAll(async () => {
  await listen()
  await close()
  database = await createTestDatabase()
  server = await startServer({
    env: {
      DATABASE_URL: database.url,
      ALERT_WEBHOOK_URL: `http://127.0.0.1:${port}/hook?token=s3cret`,
      // No disk has so much room.
      ALERT_DISK_FREE_MB: '1000000000',
    },
  })
  admin = await Station.signIn(server, 'admin')
}, 60_000)
afterAll(async () => {
  await server?.stop()
  await database?.drop()
  await close().catch(() => {})
}, 60_000)

describe('an alarm', () => {
  it('is listed with the time it began, and the shop sells on while nobody takes the message', async () => {
    const cashier = await Station.signIn(server, 'caisse')
    await cashier.openRound(1_000)
    await cashier.sold()
    const { data } = await admin.ask('/api/v1/ops/alarms')
    expect(data.alarms).toMatchObject([{ code: 'DISK', id: 'DISK', since: expect.any(Number) }])
    expect(data.checkedAt).toBeGreaterThanOrEqual(data.alarms[0].since)
    expect((await admin.persistence()).data.alarms).toMatchObject([{ code: 'DISK' }])
    expect(received).toEqual([])
  })

  it('is sent when the receiver is up, once, with no secret', async () => {
    await eventually('trouble with the webhook is logged', () => server.output.includes('webhook'))
    await listen()
    const told = await eventually('the alarm is told', () => received[0], 60_000)
    const { data } = await admin.ask('/api/v1/ops/alarms')
    const [{ since }] = data.alarms
    expect(told).toMatchObject({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      event: 'alarm_began',
      alarm: { code: 'DISK', since, message: expect.stringMatching(/ MB left/) },
      station: '01',
    })
    expect(JSON.stringify(told)).not.toContain(server.dataDirectory)
    expect(server.output).not.toMatch(/s3cret/)
    const { checkedAt } = data
    await eventually('it was looked at again', async () => {
      const now = (await admin.ask('/api/v1/ops/alarms')).data
      return now.checkedAt > checkedAt
    })
    expect(received).toHaveLength(1)
  })
})
