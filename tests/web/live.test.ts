import { beforeEach, describe, expect, it } from 'vitest'
import { Live, type LiveMessage, type LiveOptions, type World } from '../../web/live.ts'

// A world of its own: sockets that the test holds the other end of, and a clock that it winds.

type Line = {
  path: string
  said: string[]
  isClosed: boolean
  text: (text: string) => void
  close: (code: number) => void
}
type Timer = { at: number; work: () => void }

let now: number
let timers: Timer[]
let lines: Line[]
let heard: LiveMessage[]
let signedOut: number

const wind = (ms: number): void => {
  const until = now + ms
  for (;;) {
    const next = timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0]
    if (!next) break
    timers.splice(timers.indexOf(next), 1)
    now = next.at
    next.work()
  }
  now = until
}
const world: World = {
  open: (path, text, close) => {
    const line: Line = { path, said: [], isClosed: false, text, close }
    lines.push(line)
    return {
      send: (one) => line.said.push(one),
      close: () => {
        line.isClosed = true
      },
    }
  },
  now: () => now,
  random: () => 1,
  setTimeout: (work, delayMs) => {
    const timer = { at: now + delayMs, work }
    timers.push(timer)
    return timer
  },
  clearTimeout: (timer) => {
    timers = timers.filter((one) => one !== timer)
  },
}

const line = (): Line => lines.at(-1)!
const hear = (message: object): void => line().text(JSON.stringify({ serverTime: now, ...message }))
const race = (event: string, offset: number, epoch = 'e1') =>
  hear({ event, topic: 'race', track: 'main', epoch, offset })
const begun = (options: Partial<LiveOptions> = {}): Live => {
  const live = new Live({
    topics: ['race'],
    onMessage: (message) => heard.push(message),
    onSignedOut: () => {
      signedOut += 1
    },
    world,
    ...options,
  })
  live.start()
  return live
}
const eventsHeard = (): string[] => heard.map(({ event, offset }) => `${event} ${offset}`)

beforeEach(() => {
  now = 1_000_000
  timers = []
  lines = []
  heard = []
  signedOut = 0
})

describe('a live connection', () => {
  it('is live once every topic has its snapshot', () => {
    const live = begun({ topics: ['race', 'receipts'], track: 'a b' })
    expect(line().path).toBe('/ws?topics=race,receipts&track=a%20b')
    hear({ event: 'welcome', epoch: 'e1' })
    race('snapshot', 4)
    expect(live.state.value).toBe('connecting')
    hear({ event: 'snapshot', topic: 'receipts', track: 'a b', epoch: 'e1', offset: 0 })
    expect(live.state.value).toBe('live')
    race('timer', 5)
    expect(eventsHeard()).toEqual(['snapshot 4', 'snapshot 0', 'timer 5'])
  })

  it('comes back to where it was, and tells nothing twice', () => {
    const live = begun()
    race('snapshot', 4)
    race('timer', 5)
    line().close(1006)
    expect(live.state.value).toBe('offline')
    wind(250)
    expect(line().path).toBe('/ws?topics=race&epoch=e1&race=5')
    hear({ event: 'subscribed', topic: 'race', track: 'main', epoch: 'e1', offset: 5, recovered: true })
    expect(live.state.value).toBe('live')
    race('timer', 5)
    race('timer', 6)
    expect(eventsHeard()).toEqual(['snapshot 4', 'timer 5', 'timer 6'])
  })

  it('starts over with a snapshot where the server began another epoch', () => {
    begun()
    race('snapshot', 40)
    line().close(1012)
    wind(250)
    race('snapshot', 2, 'e2')
    race('timer', 3, 'e2')
    expect(eventsHeard()).toEqual(['snapshot 40', 'snapshot 2', 'timer 3'])
    line().close(1006)
    wind(250)
    expect(line().path).toBe('/ws?topics=race&epoch=e2&race=3')
  })

  it('asks for a snapshot where a message is missing, and passes over what came before it', () => {
    const live = begun()
    race('snapshot', 4)
    race('timer', 6)
    race('timer', 7)
    expect(live.state.value).toBe('connecting')
    expect(line().said).toEqual(['{"type":"subscribe","topic":"race"}'])
    race('snapshot', 7)
    race('timer', 8)
    expect(eventsHeard()).toEqual(['snapshot 4', 'snapshot 7', 'timer 8'])
    expect(live.state.value).toBe('live')
  })

  it('waits longer from one failure to the next, at most eight seconds, and starts quick again', () => {
    begun()
    const waits: number[] = []
    for (let i = 0; i < 8; i++) {
      const before = lines.length
      line().close(1006)
      let waited = 0
      for (; lines.length === before; waited += 50) wind(50)
      waits.push(waited)
    }
    expect(waits).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000])
    race('snapshot', 1)
    line().close(1006)
    const before = lines.length
    wind(250)
    expect(lines.length).toBe(before + 1)
  })

  it('takes a connection that went silent for a broken one, after it asked', () => {
    const live = begun()
    race('snapshot', 1)
    const first = line()
    wind(5_999)
    expect([live.state.value, first.said]).toEqual(['live', ['{"type":"ping"}']])
    wind(1)
    expect([live.state.value, first.isClosed]).toEqual(['offline', true])
    wind(250)
    expect(lines).toHaveLength(2)
    first.text(JSON.stringify({ event: 'timer', topic: 'race', epoch: 'e1', offset: 2 }))
    expect(eventsHeard()).toEqual(['snapshot 1'])
  })

  it('stays live where the server answers its pings', () => {
    const live = begun()
    race('snapshot', 1)
    for (let i = 0; i < 10; i++) {
      wind(4_000)
      hear({ event: 'pong', epoch: 'e1' })
    }
    expect([live.state.value, lines.length]).toEqual(['live', 1])
  })

  it('says that the session is over, and goes on when it is started again', () => {
    const live = begun({ topics: ['race', 'receipts'] })
    line().close(4401)
    wind(60_000)
    expect([signedOut, lines.length, live.state.value]).toEqual([1, 1, 'offline'])
    live.start()
    expect(lines).toHaveLength(2)
    hear({ event: 'error', code: 'AUTH_REQUIRED', topic: 'receipts' })
    expect(signedOut).toBe(2)
  })

  it('asks again for a stream that is not to be had now', () => {
    const live = begun()
    hear({ event: 'error', code: 'INTERNAL', topic: 'race' })
    expect(live.state.value).toBe('offline')
    wind(250)
    race('snapshot', 1)
    expect(live.state.value).toBe('live')
  })

  it('follows the clock of the server by the quickest message', () => {
    const live = begun()
    expect(live.now()).toBe(now)
    hear({ event: 'pong', serverTime: now + 59_700 })
    hear({ event: 'pong', serverTime: now + 59_990 })
    hear({ event: 'pong', serverTime: now + 59_100 })
    expect(live.now()).toBe(now + 59_990)
    // The clock of this machine was set: after a while the old messages do not count any more.
    for (let i = 0; i < 30; i++) hear({ event: 'pong', serverTime: now - 5 })
    expect(live.now()).toBe(now - 5)
  })

  it('is over once it is stopped', () => {
    const live = begun()
    race('snapshot', 1)
    live.stop()
    wind(60_000)
    race('timer', 2)
    expect([lines.length, line().isClosed, eventsHeard()]).toEqual([1, true, ['snapshot 1']])
  })
})
