import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Journal } from '../../../src/actors/journal.port.ts'
import { openJournal } from '../../../src/db/journal.ts'
import { memoryStore } from '../../../src/db/memory.store.ts'
import type { Fact } from '../../../src/domain/racing/facts.ts'
import type { Enqueued, Queues } from '../../../src/jobs/queues.ts'
import { Outbox, outboxNotes } from '../../../src/jobs/racing/outbox.ts'
import { quiet } from '../../support/clock.ts'

const GATHER_MS = 50
const ROUND = 42
const fact: Fact = { type: 'BettingLocked', at: 1 }

/** A queue that can be away, or be made to wait in the midst of taking jobs. */
class FakeQueue {
  readonly taken: Enqueued[] = []
  asked = 0
  isAway = false
  #held: Promise<void> | undefined
  #release: () => void = () => {}

  hold(): void {
    this.#held = new Promise((resolve) => {
      this.#release = resolve
    })
  }

  release(): void {
    this.#held = undefined
    this.#release()
  }

  get queues(): Queues {
    const add = async (_: string, jobs: readonly Enqueued[]): Promise<void> => {
      this.asked++
      await this.#held
      if (this.isAway) throw new Error('away')
      this.taken.push(...jobs)
    }
    return { add } as unknown as Queues
  }

  /** The batches taken, as first and last number. */
  get batches(): [number, number][] {
    return this.taken.map(({ data }) => {
      const { first, last } = data as { first: number; last: number }
      return [first, last]
    })
  }
}

let queue: FakeQueue
let journal: Journal<Fact>
let outbox: Outbox
let errors: string[]
let isBusy: boolean

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  queue = new FakeQueue()
  errors = []
  isBusy = false
  journal = openJournal<Fact>({ store: memoryStore(), parse: (row) => row as Fact })
  outbox = newOutbox()
})
afterEach(async () => {
  await outbox.stop()
  vi.useRealTimers()
})

const newOutbox = (): Outbox =>
  new Outbox({
    queue: 'persist',
    journal,
    queues: queue.queues,
    gatherMs: GATHER_MS,
    isCounterBusy: () => isBusy,
    onError: (error) => errors.push(error.message),
  })

/** Winds the time, and lets everything settle. */
const wind = async (ms: number): Promise<void> => {
  await quiet()
  await vi.advanceTimersByTimeAsync(ms)
  await quiet()
}

/** Facts of a round reach the disk and are noticed. */
const happen = async (count: number, roundId = ROUND): Promise<void> => {
  const facts = Array.from({ length: count }, () => fact)
  const first = journal.last(roundId) + 1
  await new Promise<void>((resolve) => journal.append({ stream: roundId, first, facts }, () => resolve()))
  outbox.notice(roundId)
}
const noted = (roundId = ROUND) => journal.note(`${outboxNotes(roundId)}persist`)

describe('the outbox', () => {
  it('hands over together what happens within a moment', async () => {
    await happen(2)
    await wind(GATHER_MS - 1)
    await happen(3)
    expect(queue.taken).toEqual([])
    await wind(1)
    expect(queue.batches).toEqual([[1, 5]])
    expect(outbox.position(ROUND)).toBe(5)
    expect(noted()).toBe(5)
  })

  it('hands over what follows from where it was, each fact once and in order', async () => {
    for (const count of [3, 1, 4]) {
      await happen(count)
      await wind(GATHER_MS)
    }
    expect(queue.batches).toEqual([
      [1, 3],
      [4, 4],
      [5, 8],
    ])
    await wind(60_000)
    expect(queue.asked).toBe(3)
  })

  it('cuts a large heap into batches of five hundred, whose jobs have ids of their own', async () => {
    await happen(1_250)
    await wind(GATHER_MS)
    expect(queue.batches).toEqual([
      [1, 500],
      [501, 1_000],
      [1_001, 1_250],
    ])
    expect(queue.taken.map(({ jobId }) => jobId)).toEqual([
      `facts-${ROUND}-1-500`,
      `facts-${ROUND}-501-1000`,
      `facts-${ROUND}-1001-1250`,
    ])
  })

  it('keeps rounds apart', async () => {
    await happen(2, 1)
    await happen(3, 2)
    await wind(GATHER_MS)
    expect(queue.batches).toEqual([
      [1, 2],
      [1, 3],
    ])
    expect([noted(1), noted(2)]).toEqual([2, 3])
  })

  it('X1: does not move while the queue has not taken the job', async () => {
    queue.hold()
    await happen(3)
    await wind(GATHER_MS)
    expect(queue.asked).toBe(1)
    expect([outbox.position(ROUND), noted()]).toEqual([0, undefined])
    queue.release()
    await wind(0)
    expect([outbox.position(ROUND), noted()]).toEqual([3, 3])
  })

  it('X1: hands over the same job again after a crash between the queue and the note', async () => {
    await happen(3)
    await wind(GATHER_MS)
    await journal.forget(outboxNotes(ROUND))
    outbox = newOutbox()
    outbox.notice(ROUND)
    await wind(GATHER_MS)
    expect(queue.taken).toHaveLength(2)
    expect(queue.taken[1]).toEqual(queue.taken[0])
  })

  it('goes on after a restart where the note says', async () => {
    await happen(3)
    await wind(GATHER_MS)
    await outbox.stop()
    outbox = newOutbox()
    await happen(2)
    await wind(GATHER_MS)
    expect(queue.batches).toEqual([
      [1, 3],
      [4, 5],
    ])
  })

  it('X2: asks a queue that is away with growing patience, two seconds at most, and then loses nothing', async () => {
    queue.isAway = true
    await happen(2)
    await wind(GATHER_MS)
    const waits: number[] = []
    for (let waited = 0, asked = queue.asked; waits.length < 8; ) {
      await wind(50)
      waited += 50
      if (queue.asked === asked) continue
      waits.push(waited)
      waited = 0
      asked = queue.asked
    }
    expect(waits).toEqual([100, 200, 400, 800, 1_600, 2_000, 2_000, 2_000])
    expect(errors).toHaveLength(9)
    await happen(3)
    queue.isAway = false
    await wind(2_000)
    expect(queue.batches).toEqual([[1, 5]])
    await happen(1)
    await wind(GATHER_MS)
    expect(queue.batches.at(-1)).toEqual([6, 6])
  })

  it('X2: hands over every round that waits when the queue is back', async () => {
    queue.isAway = true
    await happen(2, 1)
    await happen(2, 2)
    await wind(GATHER_MS)
    queue.isAway = false
    await wind(200)
    expect(queue.batches).toEqual([
      [1, 2],
      [1, 2],
    ])
    expect([noted(1), noted(2)]).toEqual([2, 2])
  })

  it('X3: leaves time to a busy counter: a small batch every second', async () => {
    isBusy = true
    await happen(250)
    await wind(900)
    expect(queue.taken).toEqual([])
    await wind(200)
    expect(queue.batches).toEqual([[1, 100]])
    await wind(1_000)
    expect(queue.batches).toEqual([
      [1, 100],
      [101, 200],
    ])
  })

  it('X3: leaves time to a busy counter by one job in all, from one round after the other', async () => {
    isBusy = true
    for (const roundId of [1, 2, 3]) await happen(150, roundId)
    const positions = () => [1, 2, 3].map((roundId) => outbox.position(roundId))
    await wind(1_100)
    expect(positions()).toEqual([100, 0, 0])
    await wind(1_100)
    expect(positions()).toEqual([100, 100, 0])
    await wind(1_100)
    expect(positions()).toEqual([100, 100, 100])
    await wind(1_100)
    expect(positions()).toEqual([150, 100, 100])
    isBusy = false
    await wind(GATHER_MS)
    expect(positions()).toEqual([150, 150, 150])
  })

  it('X3: leaves no more time to a busy counter when very many wait', async () => {
    isBusy = true
    await happen(500_400)
    await wind(GATHER_MS)
    await wind(GATHER_MS)
    expect(queue.batches).toEqual([[1, 500]])
  })

  it('X3: hands over what waited for the counter as soon as it is quiet', async () => {
    isBusy = true
    await happen(300)
    await wind(700)
    expect(queue.taken).toEqual([])
    isBusy = false
    await wind(GATHER_MS)
    expect(queue.batches).toEqual([[1, 300]])
  })

  it('hands over anew what the queue lost, as other jobs: it may still know the lost ones', async () => {
    await happen(4)
    await wind(GATHER_MS)
    await happen(2)
    await wind(GATHER_MS)
    outbox.rewind(ROUND, 1)
    await wind(GATHER_MS)
    expect(queue.batches).toEqual([
      [1, 4],
      [5, 6],
      [2, 6],
    ])
    outbox.rewind(ROUND, 4)
    await wind(GATHER_MS)
    expect(queue.batches.at(-1)).toEqual([5, 6])
    const ids = queue.taken.map(({ jobId }) => jobId)
    expect(new Set(ids).size).toBe(4)
    for (const id of ids) expect(id).toMatch(/^[a-z0-9-]+$/)
    expect(noted()).toBe(6)
  })

  it('does not go back to where it never was', async () => {
    await happen(4)
    await wind(GATHER_MS)
    outbox.rewind(ROUND, 4)
    outbox.rewind(ROUND, 9)
    outbox.rewind(999, 0)
    await wind(60_000)
    expect(queue.taken).toHaveLength(1)
  })

  it('goes back though the queue is taking a job at that moment', async () => {
    await happen(4)
    await wind(GATHER_MS)
    queue.hold()
    await happen(2)
    await wind(GATHER_MS)
    outbox.rewind(ROUND, 0)
    queue.release()
    await wind(GATHER_MS)
    expect(queue.batches).toEqual([
      [1, 4],
      [5, 6],
      [1, 6],
    ])
    expect(outbox.position(ROUND)).toBe(6)
  })

  it('forgets a round, also while the queue takes its job', async () => {
    queue.hold()
    await happen(3)
    await wind(GATHER_MS)
    outbox.forget(ROUND)
    queue.release()
    await wind(60_000)
    expect(noted()).toBeUndefined()
    expect(outbox.position(ROUND)).toBe(0)
  })

  it('hands over nothing once it was stopped, and waits for what is under way', async () => {
    queue.hold()
    await happen(3)
    await wind(GATHER_MS)
    let isStopped = false
    const stopped = outbox.stop().then(() => {
      isStopped = true
    })
    await wind(0)
    expect(isStopped).toBe(false)
    queue.release()
    await stopped
    expect(noted()).toBe(3)
    await happen(2)
    await wind(60_000)
    expect(queue.taken).toHaveLength(1)
  })
})
