import { cpuSeconds } from '../machine.ts'
import type { Row } from '../row.ts'
import { CONNECTIONS, selling } from '../sale.ts'
import { type Galop, openSockets, runLoad, startGalop, untilStored } from '../servers.ts'
import { figure, middle } from '../table.ts'

// Ten tracks in one process against one: with as many sockets, of which as many hear of each sale.

const TRACKS = Array.from({ length: 10 }, (_, i) => `track${i}`)

export const row: Row = {
  number: 10,
  work: 'sell on 10 tracks of one process, with 1,000 sockets',
  seconds: 150,
  run: async ({ isShort, say }) => {
    const turns = isShort ? 1 : 5
    const sockets = isShort ? 20 : 1_000
    const times = { durationMs: isShort ? 500 : 4_000, warmUpMs: isShort ? 200 : 1_000 }
    const many = await startGalop({ TRACKS: TRACKS.join(',') })
    const one = await startGalop({ TRACKS: TRACKS[0]! })
    const messages: number[] = []
    const cpu = { many: [] as number[], one: [] as number[] }

    /** Screens in equal parts on all tracks, and on each a desk that hears of every sale there. */
    const sold = async (galop: Galop, tracks: readonly string[], used: number[]): Promise<number> => {
      await untilStored(galop.port)
      const desks = tracks.map((track) => ({
        sockets: 1,
        track,
        topics: 'receipts,race',
        token: galop.adminToken,
      }))
      const screens = tracks.map((track, i) => ({
        sockets: Math.floor((sockets - tracks.length + i) / tracks.length),
        track,
        topics: 'race',
      }))
      const { done } = await openSockets({
        port: galop.port,
        durationMs: times.durationMs + times.warmUpMs + 2_500,
        groups: [...desks, ...screens],
      })
      const before = cpuSeconds(galop.pid)
      const result = await runLoad({
        ...selling(galop),
        ...times,
        connections: CONNECTIONS,
        paths: tracks.map((track) => `${selling(galop).path}&track=${track}`),
      })
      used.push(((cpuSeconds(galop.pid) - before) / result.allAnswers) * 1e6)
      const told = await done
      if (told.sockets !== sockets) throw new Error(`${told.sockets} of ${sockets} sockets were open`)
      if (told.messages < result.allAnswers)
        throw new Error(`${result.allAnswers} receipts were sold, and ${told.messages} messages were heard`)
      messages.push(told.messages)
      return result.perSecond
    }

    const ours: number[] = []
    const theirs: number[] = []
    try {
      for (let turn = 1; turn <= turns; turn++) {
        theirs.push(await sold(one, TRACKS.slice(0, 1), cpu.one))
        ours.push(await sold(many, TRACKS, cpu.many))
        say(`turn ${turn} of ${turns}: one track ${figure(theirs.at(-1)!)}/s, ten ${figure(ours.at(-1)!)}/s`)
      }
    } finally {
      await Promise.all([many.stop(), one.stop()])
    }
    return [
      {
        against: 'one track with as many sockets',
        unit: '/s',
        ours,
        theirs,
        reach: { atLeast: 0.9 },
        notes: [
          `${sockets} sockets: a desk on each track hears of all its sales, the others are screens`,
          `${figure(middle(cpu.many))} µs of CPU a sale, ${figure(middle(cpu.one))} µs with one track`,
          'no message was missing',
        ],
      },
    ]
  },
}
