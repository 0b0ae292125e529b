// The connections of clients cut, frozen and slow; a client process that stands still; sockets that are never read.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { eventually, Program, ROOT } from '../tests/support/server.ts'
import { type Attack, between, faultUnless } from './attack.ts'
import { reckon } from './reckoning.ts'
import { Shop } from './shop.ts'

const TROUBLE_MS = 3_000
const SHORT_TROUBLE_MS = 1_500
const UNREAD = 10
const LET_GO_MS = 65_000

export const clients: Attack = {
  name: 'clients',
  what: "clients' connections cut, frozen and slow, client processes that stand still, sockets never read",
  run: async ({ times, isShort, build, say }) => {
    const turns = times ?? (isShort ? 1 : 5)
    const lastsMs = isShort ? SHORT_TROUBLE_MS : TROUBLE_MS
    const shop = await Shop.open({ build, throughCable: true })
    const { clientCable, sockets, server } = shop.parts
    const faults: string[] = []
    let trials = 0
    let cutOff = 0
    try {
      shop.gather()
      await shop.soldMore(50)
      const unreadSince = performance.now()
      const unread = await neverRead(shop)
      for (let turn = 1; turn <= turns; turn++) {
        for (let i = 0; i < 10; i++) {
          clientCable.cut(0.3)
          await delay(between(0, lastsMs / 5))
        }
        say(`turn ${turn}, cut ten times: ${sockets.open} sockets are open`)
        clientCable.freeze()
        await delay(lastsMs)
        await clientCable.plug()
        clientCable.slow(200)
        await delay(lastsMs)
        await clientCable.plug()
        say(`turn ${turn}, frozen and slow: ${shop.acknowledged} sold`)
        const frozen = await standStill(shop, lastsMs)
        faults.push(...frozen.faults)
        cutOff += frozen.cutOff
        say(`turn ${turn}, a client process stood still`)
        trials += 4
        await eventually('all sockets are back', () => sockets.open === 200)
      }
      await shop.soldMore(50)
      // Whoever does not answer two pings is let go, if it was not cut off before as too slow.
      if (!isShort) await delay(Math.max(0, LET_GO_MS - (performance.now() - unreadSince)))
      else for (const socket of unread) socket.resetAndDestroy()
      faults.push(...faultUnless(await areGone(shop), 'sockets that nobody reads are still open'))
      trials++
      const unreadCutOff = await figure(shop, 'galop_sockets_cut_off')
      for (const socket of unread) socket.destroy()
      const { faults: found, figures } = await reckon(shop)
      faults.push(...faultUnless(sockets.counts.recoveries > 0, 'no socket ever came back to where it was'))
      faults.push(...faultUnless(!server.program.hasEnded, 'the server has ended'))
      return {
        trials,
        figures: { ...figures, 'cut off as too slow': cutOff + unreadCutOff },
        faults: [...faults, ...found],
      }
    } finally {
      await shop.close()
    }
  },
}

/** Another process sells and listens, stands still for a while, goes on, and gives its books to ours. */
const standStill = async (shop: Shop, lastsMs: number): Promise<{ faults: string[]; cutOff: number }> => {
  const { server, cashier } = shop.parts
  const client = new Program(
    [
      process.execPath,
      '--import',
      'tsx',
      join(ROOT, 'chaos', 'frozen.client.ts'),
      server.url,
      cashier.token,
      String(cashier.user.id),
    ],
    {},
  )
  try {
    await eventually('the client sells', () => client.stdout.includes('ready') || client.hasEnded)
    await delay(1_000)
    for (let i = 0; i < 2; i++) {
      client.signal('SIGSTOP')
      await delay(lastsMs)
      client.signal('SIGCONT')
      await delay(500)
    }
    client.signal('SIGTERM')
    const { code } = await client.end()
    if (code !== 0) throw new Error(`the client process ended with ${code}: ${client.stderr}`)
    const report = JSON.parse(client.stdout.split('\n').at(-2)!)
    shop.crowds[0]!.sales.push(...report.sales)
    return { faults: report.faults, cutOff: report.counts.cutOff }
  } finally {
    client.signal('SIGCONT')
    client.signal('SIGKILL')
  }
}

/** Sockets that follow everything and never read a byte. */
const neverRead = async (shop: Shop): Promise<Socket[]> => {
  const { server, admin } = shop.parts
  const { port } = new URL(server.url)
  const all: Socket[] = []
  for (let i = 0; i < UNREAD; i++) {
    const socket = connect({ port: Number(port), host: '127.0.0.1' })
    socket.on('error', () => {})
    await once(socket, 'connect')
    socket.write(
      `GET /ws?topics=receipts HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n` +
        `Authorization: Bearer ${admin.token}\r\n\r\n`,
    )
    socket.pause()
    all.push(socket)
  }
  await eventually(
    'they are followers',
    async () => (await figure(shop, 'galop_sockets')) >= shop.parts.sockets.open + UNREAD - 1,
  )
  return all
}

/** The server keeps no more than a bounded part of what they miss, and lets them go. */
const areGone = async (shop: Shop): Promise<boolean> => {
  const all = async (): Promise<boolean> =>
    (await figure(shop, 'galop_sockets')) <= shop.parts.sockets.open + 1
  return eventually('nobody is left of them', all).catch(() => false)
}

const figure = async (shop: Shop, name: string): Promise<number> => {
  const text = await (await fetch(`${shop.parts.server.url}/metrics`)).text()
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1])
}
