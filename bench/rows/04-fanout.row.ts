import { type News, startColyseus } from '../colyseus.ts'
import type { FanoutOptions } from '../fanout.load.ts'
import { cpuSecondsOf, pause } from '../observe.ts'
import type { PacedOptions, PacedResult } from '../paced.load.ts'
import { installPeers } from '../peers.ts'
import { type Delivered, deliver, openReceivers } from '../receivers.ts'
import type { Row } from '../row.ts'
import { SALE } from '../sale.ts'
import { type Galop, type Running, runApart, startGalop, startServer, untilStored } from '../servers.ts'
import { figure, middle } from '../table.ts'

// Telling a thousand sockets of a thousand receipts a second. Of Galop it is the whole server: it sells them, writes them
// to disk and hands them on to Postgres besides; the others only tell.

const PER_SECOND = 1_000
const MOST_ADDED_MS = 25
/** Of one user, by the server's own limit: so an admin for each. */
const SOCKETS_OF_A_USER = 250

const base64 = (text: string): string => Buffer.from(text).toString('base64')

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

export const row: Row = {
  number: 4,
  work: `receipt_added to 1,000 sockets at ${figure(PER_SECOND)} receipts/s`,
  seconds: 240,
  run: async ({ isShort, say }) => {
    installPeers(say)
    const sockets = isShort ? 40 : 1_000
    const turns = isShort ? 1 : 3
    const warmUp: News = { perSecond: PER_SECOND, durationMs: isShort ? 300 : 2_000 }
    const news: News = { perSecond: PER_SECOND, durationMs: isShort ? 500 : 8_000 }
    const ours: Delivered[] = []
    const colyseus: Delivered[] = []
    const plain: Delivered[] = []
    let sellingShare = 0
    const galop = await startGalop()
    try {
      const tokens = await admins(galop, Math.ceil(sockets / SOCKETS_OF_A_USER))
      await sellAtRate(galop, warmUp.durationMs)
      const before = cpuSecondsOf(galop.pid)
      await sellAtRate(galop, news.durationMs)
      sellingShare = ((cpuSecondsOf(galop.pid) - before) * 1000) / news.durationMs
      for (let turn = 1; turn <= turns; turn++) {
        colyseus.push(await tellByColyseus(sockets, warmUp, news))
        plain.push(await tellByWs(sockets, warmUp, news))
        await untilStored(galop.port)
        ours.push(await tellByGalop(galop, tokens, sockets, warmUp, news))
        say(
          `turn ${turn} of ${turns}, messages for each second of processor: Colyseus ${told(colyseus.at(-1)!)}; ` +
            `plain ws ${told(plain.at(-1)!)}; Galop ${told(ours.at(-1)!)}`,
        )
      }
    } finally {
      await galop.stop()
    }
    const perCpuSecond = (of: readonly Delivered[]): number[] => of.map((one) => one.perCpuSecond)
    const median = (of: readonly Delivered[], pick: (one: Delivered) => number): number =>
      middle(of.map(pick))
    const rate = (of: readonly Delivered[]): string =>
      figure(median(of, ({ messages }) => messages / sockets / (news.durationMs / 1000)))
    const common = { unit: '/CPU s', ours: perCpuSecond(ours) }
    return [
      {
        ...common,
        against: 'Colyseus broadcast of the same message',
        theirs: perCpuSecond(colyseus),
        reach: { atLeast: 5 },
        notes: [
          `delivered to each socket: ours ${rate(ours)} a second, theirs ${rate(colyseus)}`,
          `selling alone at this rate takes ${figure(sellingShare)} of a processor, all of it ${figure(median(ours, (one) => one.cpuShare))}`,
        ],
      },
      {
        ...common,
        against: 'a plain ws send loop of the same bytes',
        theirs: perCpuSecond(plain),
        reach: { atLeast: 4 },
        notes: [`theirs delivered to each socket ${rate(plain)} a second`],
      },
      {
        what: 'age of a message on arrival, p99',
        against: `${MOST_ADDED_MS} ms`,
        unit: 'ms',
        ours: ours.map(({ p99Ms }) => Math.max(1, p99Ms)),
        theirs: ours.map(() => MOST_ADDED_MS),
        reach: { atMost: 1 },
        notes: [
          `median ${figure(median(ours, (one) => one.p50Ms))} ms; Colyseus p99 ${figure(median(colyseus, (one) => one.p99Ms))} ms, plain ws ${figure(median(plain, (one) => one.p99Ms))} ms`,
        ],
      },
    ]
  },
}

const told = ({ perCpuSecond, cpuShare, listenersShare, p50Ms, p99Ms }: Delivered): string =>
  `${figure(perCpuSecond)} (${figure(cpuShare)} of one, listeners ${figure(listenersShare)}, p50 ${p50Ms} ms, p99 ${p99Ms} ms)`

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
  const peer = await startColyseus({ news: all })
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
