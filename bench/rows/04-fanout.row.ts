import { type News, startColyseus } from '../colyseus.ts'
import type { FanoutOptions } from '../fanout.load.ts'
import { cpuSecondsOf, pause } from '../observe.ts'
import type { PacedOptions, PacedResult } from '../paced.load.ts'
import { installPeers } from '../peers.ts'
import { type Delivered, deliver, openReceivers } from '../receivers.ts'
import type { Comparison, Row } from '../row.ts'
import { SALE } from '../sale.ts'
import { type Galop, type Running, runApart, startGalop, startServer, untilStored } from '../servers.ts'
import { figure, middle } from '../table.ts'
import { alternate } from '../turns.ts'

// Telling a thousand sockets of a thousand receipts a second. Of Galop it is the whole server: it sells them, writes them
// to disk and hands them on to Postgres besides; the others only tell.

const PER_SECOND = 1_000
const MOST_ADDED_MS = 25
/** Of one user, by the server's own limit: so an admin for each. */
const SOCKETS_OF_A_USER = 250

const base64 = (text: string): string => Buffer.from(text).toString('base64')

export const row: Row = {
  number: 4,
  work: `receipt_added to 1,000 sockets at ${figure(PER_SECOND)} receipts/s`,
  seconds: 280,
  run: async ({ isShort, say }) => {
    installPeers(say)
    const sockets = isShort ? 40 : 1_000
    const turns = isShort ? 1 : 3
    const warmUp: News = { perSecond: PER_SECOND, durationMs: isShort ? 300 : 2_000 }
    const news: News = { perSecond: PER_SECOND, durationMs: isShort ? 500 : 8_000 }
    const galop = await startGalop()
    try {
      const tokens = await admins(galop, Math.ceil(sockets / SOCKETS_OF_A_USER))
      await sellAtRate(galop, warmUp.durationMs)
      const before = cpuSecondsOf(galop.pid)
      await sellAtRate(galop, news.durationMs)
      const sellingShare = ((cpuSecondsOf(galop.pid) - before) * 1000) / news.durationMs
      const { ours, theirs } = await alternate({
        say,
        turns,
        port: galop.port,
        theirs: async () => ({
          colyseus: await tellByColyseus(sockets, warmUp, news),
          plain: await tellByWs(sockets, warmUp, news),
        }),
        ours: async () => {
          const all = await tellByGalop(galop, tokens, sockets, warmUp, news)
          await untilStored(galop.port)
          return { all, half: await tellByGalop(galop, tokens, sockets / 2, warmUp, news) }
        },
        told: ({ all, half }, { colyseus, plain }) =>
          `messages for each second of processor: Colyseus ${told(colyseus)}; plain ws ${told(plain)}; ` +
          `Galop ${told(all)}, to half of the sockets ${told(half)}`,
      })
      const all = ours.map((one) => one.all)
      const half = ours.map((one) => one.half)
      const colyseus = theirs.map((one) => one.colyseus)
      const plain = theirs.map((one) => one.plain)
      const rate = (of: readonly Delivered[]): string =>
        median(of, ({ messages }) => messages / sockets / (news.durationMs / 1000))
      const common = { unit: '/CPU s', ours: all.map(({ perCpuSecond }) => perCpuSecond) }
      return [
        {
          ...common,
          against: 'Colyseus broadcast of the same message',
          theirs: colyseus.map(({ perCpuSecond }) => perCpuSecond),
          reach: { atLeast: 5 },
          notes: [
            `delivered to each socket: ours ${rate(all)} a second, theirs ${rate(colyseus)}`,
            `${median(all, ({ least }) => least.bytes / least.messages)} bytes each`,
            `selling alone at this rate takes ${figure(sellingShare)} of a processor, all of it ${median(all, (one) => one.cpuShare)}`,
            `those who listen take ${median(all, (one) => one.listenersShare)} of a processor and would hear ${median(all, (one) => one.messages / one.listenersCpu)} messages with each second of a whole one`,
          ],
        },
        {
          ...common,
          against: 'a plain ws send loop of the same bytes',
          theirs: plain.map(({ perCpuSecond }) => perCpuSecond),
          reach: { atLeast: 4 },
          notes: [`theirs delivered to each socket ${rate(plain)} a second`],
        },
        aged('age of a message on arrival, p99', all, [
          `Colyseus p99 ${median(colyseus, (one) => one.p99Ms)} ms, plain ws ${median(plain, (one) => one.p99Ms)} ms`,
        ]),
        aged(`the same with ${sockets / 2} sockets`, half, [
          `the server takes ${median(half, (one) => one.cpuShare)} of a processor, those who listen ${median(half, (one) => one.listenersShare)}`,
        ]),
      ]
    } finally {
      await galop.stop()
    }
  },
}

const median = (of: readonly Delivered[], pick: (one: Delivered) => number): string =>
  figure(middle(of.map(pick)))

const aged = (what: string, of: readonly Delivered[], notes: readonly string[]): Comparison => ({
  what,
  against: `${MOST_ADDED_MS} ms`,
  unit: 'ms',
  // Whole milliseconds, and a ratio needs more than none.
  ours: of.map(({ p99Ms }) => Math.max(1, p99Ms)),
  theirs: of.map(() => MOST_ADDED_MS),
  reach: { atMost: 1 },
  notes: [
    `median ${median(of, (one) => one.p50Ms)} ms, ${median(of, (one) => one.messages / one.reads)} messages a read`,
    ...notes,
  ],
})

const told = ({ perCpuSecond, cpuShare, listenersShare, p50Ms, p99Ms }: Delivered): string =>
  `${figure(perCpuSecond)} (${figure(cpuShare)} of one, listeners ${figure(listenersShare)}, p50 ${p50Ms} ms, p99 ${p99Ms} ms)`

/** Sells at the rate, by socket. @throws Error where a sale was not answered with a receipt */
const sellAtRate = async ({ port, token }: Galop, durationMs: number): Promise<void> => {
  const { errors, firstError } = await runApart<PacedOptions, PacedResult>('paced.load.ts', {
    port,
    entrance: { kind: 'galop', token },
    message: base64(`{"type":"sell","id":"1","sale":${SALE}}`),
    mustHold: base64('"success":true,"data":{"id":'),
    perSecond: PER_SECOND,
    durationMs,
  })
  if (errors > 0) throw new Error(`${errors} sales were not answered as sold, the first: ${firstError}`)
}

/** Tokens of so many admins, new ones but for the first. */
const admins = async ({ port, adminToken }: Galop, count: number): Promise<string[]> => {
  const post = async (path: string, body: unknown): Promise<{ data: { token: string } }> => {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${adminToken}` },
      body: JSON.stringify(body),
    })
    if (!response.ok) throw new Error(await response.text())
    return (await response.json()) as { data: { token: string } }
  }
  const tokens = [adminToken]
  for (let n = 1; n < count; n++) {
    const account = { name: `admin${n}`, password: 'bench-password' }
    await post('users/', { ...account, role: 'admin' })
    tokens.push((await post('auth/login', account)).data.token)
  }
  return tokens
}

const tellByGalop = async (
  galop: Galop,
  tokens: readonly string[],
  sockets: number,
  warmUp: News,
  news: News,
): Promise<Delivered> => {
  const receivers = await openReceivers({
    port: galop.port,
    form: 'json',
    groups: tokens.map((token) => ({
      sockets: Math.ceil(sockets / tokens.length),
      entrance: { kind: 'receipts', token },
    })),
  })
  try {
    await deliver(galop, receivers, warmUp.durationMs, () => sellAtRate(galop, warmUp.durationMs))
    return await deliver(galop, receivers, news.durationMs, () => sellAtRate(galop, news.durationMs))
  } finally {
    await receivers.end()
  }
}

/** Lets a peer tell, which begins when a client says so. */
const tellByPeer = async (
  peer: Running,
  form: FanoutOptions['form'],
  entrance: FanoutOptions['groups'][number]['entrance'],
  sockets: number,
  begins: readonly string[],
  durations: readonly News[],
): Promise<Delivered> => {
  const receivers = await openReceivers({ port: peer.port, form, groups: [{ sockets, entrance }] })
  try {
    const results: Delivered[] = []
    for (const [i, { durationMs }] of durations.entries())
      results.push(
        await deliver(peer, receivers, durationMs, () => {
          receivers.say(begins[i]!)
          return pause(durationMs)
        }),
      )
    return results.at(-1)!
  } finally {
    await receivers.end()
  }
}

const tellByColyseus = async (sockets: number, ...all: News[]): Promise<Delivered> => {
  const peer = await startColyseus(all)
  try {
    return await tellByPeer(peer, 'packed', { kind: 'colyseus', room: 'news' }, sockets, peer.begins, all)
  } finally {
    await peer.stop()
  }
}

const tellByWs = async (sockets: number, ...all: News[]): Promise<Delivered> => {
  const peer = await startServer('peers/ws.server.mjs')
  try {
    const begins = all.map((one) => base64(JSON.stringify(one)))
    return await tellByPeer(peer, 'json', { kind: 'bare' }, sockets, begins, all)
  } finally {
    await peer.stop()
  }
}
