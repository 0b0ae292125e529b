import type { CheapOptions } from '../cheap.socket.server.ts'
import { type Colyseus, startColyseus } from '../colyseus.ts'
import type { CommandLoadOptions, CommandLoadResult } from '../command.load.ts'
import { cpuSecondsOf } from '../observe.ts'
import { installPeers } from '../peers.ts'
import type { Row } from '../row.ts'
import { SALE } from '../sale.ts'
import { type Galop, type Running, runApart, startGalop, startServer, untilStored } from '../servers.ts'
import { figure, middle } from '../table.ts'
import { alternate } from '../turns.ts'

// Selling by socket against a Colyseus room that validates the same sale and answers it with the same receipt, in memory.

const CLIENTS = 64
/** Commands that each client has under way, on every side. */
const WINDOW = 8
/** What else is shown: so many clients, with so many commands under way. */
const OTHERS = [
  [256, 8],
  [64, 1],
  [64, 24],
] as const

type Asked = Pick<CommandLoadOptions, 'port' | 'entrance' | 'messages' | 'mustHold' | 'letterAt'>

const base64 = (text: string): string => Buffer.from(text).toString('base64')
const START = '{"event":"answer","id":"'
const message = (place: number): string =>
  `{"type":"sell","id":"${String.fromCharCode(65 + place)}","sale":${SALE}}`
const byMessage = (window: number) => ({
  messages: Array.from({ length: window }, (_, place) => base64(message(place))),
  mustHold: base64('"success":true,"data":{"id":'),
  letterAt: START.length,
})

const onGalop = ({ port, token }: Galop, window = WINDOW): Asked => ({
  port,
  entrance: { kind: 'galop', token },
  ...byMessage(window),
})
const onColyseus = ({ port, sales, mustHold, letterAt }: Colyseus, window = WINDOW): Asked => ({
  port,
  entrance: { kind: 'colyseus', room: 'shop' },
  messages: sales.slice(0, window),
  mustHold,
  letterAt,
})
const onNothing = ({ port }: Running): Asked => ({ port, entrance: { kind: 'bare' }, ...byMessage(WINDOW) })

type Measured = CommandLoadResult & { readonly cpuMicros: number }

/** @throws Error where any answer was wrong */
const measure = async (
  server: Running,
  asked: Asked,
  load: Pick<CommandLoadOptions, 'clients' | 'warmUpMs' | 'durationMs'>,
): Promise<Measured> => {
  const before = cpuSecondsOf(server.pid)
  const result = await runApart<CommandLoadOptions, CommandLoadResult>('command.load.ts', {
    ...asked,
    ...load,
  })
  const seconds = cpuSecondsOf(server.pid) - before
  if (result.errors > 0) throw new Error(`${result.errors} wrong answers, the first: ${result.firstError}`)
  if (result.answers === 0) throw new Error('nothing was answered')
  // Its time over the warm-up too, in which as much is asked.
  const answers = (result.answers * (load.warmUpMs + load.durationMs)) / load.durationMs
  return { ...result, cpuMicros: (seconds / answers) * 1e6 }
}

/** What Galop answers, byte for byte but for its numbers. */
const SAMPLE = `${START}A","success":true,"data":{"id":1034521,"roundId":1,"total_amount":15000,"prize":27500,"created_at":"2026-01-05T08:00:03.000Z","bets":[${[1, 3].map((number) => `{"number":${number},"value":10000,"participant":{"number":${number},"name":"Cheval ${number}","coeff":2.5},"prize":25000}`)}]}}`

export const row: Row = {
  number: 3,
  work: `sell by socket, ${CLIENTS} clients with ${WINDOW} commands under way each, two bets`,
  seconds: 200,
  run: async ({ isShort, say }) => {
    installPeers(say)
    const turns = isShort ? 1 : 5
    const load = {
      clients: CLIENTS,
      warmUpMs: isShort ? 200 : 2_000,
      durationMs: isShort ? 400 : 8_000,
    }
    const notes: string[] = []
    const cheap = await startServer('cheap.socket.server.ts', {
      options: { answer: SAMPLE, letterAt: START.length } satisfies CheapOptions,
    })
    const galop = await startGalop()
    const colyseus = await startColyseus()
    try {
      const ceiling = await measure(cheap, onNothing(cheap), load)
      notes.push(`the generator against a server that only sends bytes: ${figure(ceiling.perSecond)}/s`)
      const { ours, theirs } = await alternate({
        say,
        turns,
        port: galop.port,
        theirs: () => measure(colyseus, onColyseus(colyseus), load),
        ours: () => measure(galop, onGalop(galop), load),
        told: (ours, theirs) => `Colyseus ${told(theirs)}; Galop, on disk, ${told(ours)}`,
      })
      for (const [clients, window] of isShort ? OTHERS.slice(-1) : OTHERS) {
        await untilStored(galop.port)
        const its = await measure(colyseus, onColyseus(colyseus, window), { ...load, clients })
        const our = await measure(galop, onGalop(galop, window), { ...load, clients })
        notes.push(
          `${clients} clients with ${window} each: ${figure(our.perSecond)}/s and ${figure(its.perSecond)}/s, ratio ${figure(our.perSecond / its.perSecond)}`,
        )
      }
      const micros = (of: readonly Measured[]): string => figure(middle(of.map(({ cpuMicros }) => cpuMicros)))
      notes.push(`processor time for each sale: ours ${micros(ours)} µs, theirs ${micros(theirs)} µs`)
      notes.push(`p99 ours ${figure(middle(ours.map(({ p99Ms }) => p99Ms)))} ms`)
      return [
        {
          against: 'a Colyseus room that validates and answers the same, in memory',
          unit: '/s',
          ours: ours.map(({ perSecond }) => perSecond),
          theirs: theirs.map(({ perSecond }) => perSecond),
          reach: { atLeast: 1 },
          notes,
        },
      ]
    } finally {
      await Promise.all([cheap.stop(), galop.stop(), colyseus.stop()])
    }
  },
}

const told = ({ perSecond, p99Ms, cpuMicros }: Measured): string =>
  `${figure(perSecond)}/s (p99 ${figure(p99Ms)} ms, ${figure(cpuMicros)} µs of processor each)`
