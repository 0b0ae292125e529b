import type { Bench, Comparison } from './row.ts'
import { CONNECTIONS, selling } from './sale.ts'
import { type Galop, gauge, runLoad, runOpenLoad, startGalop } from './servers.ts'
import { figure } from './table.ts'

// The longest wait of all at a counter while a large round of another track ends in the same process.

const LONGEST_PAUSE_MS = 50
const LOCK_MS = 500

/**
 * Two tracks: on one a large round is sold, settled, stored and handed over, on the other one sells meanwhile.
 * @param fast the highest rate of selling
 */
export const settlement = async (bench: Bench, fast: number): Promise<Comparison> => {
  const { isShort, say } = bench
  const receipts = isShort ? 1_000 : 100_000
  const turns = isShort ? 1 : 3
  const waits: Waits[] = []
  for (let turn = 1; turn <= turns; turn++) {
    const wait = await settleOnce(bench, receipts, fast)
    waits.push(wait)
    say(
      `turn ${turn} of ${turns}: longest wait ${figure(wait.settledMs)} ms while a round is settled, ` +
        `${figure(wait.storedMs)} ms while it is stored and handed over`,
    )
  }
  const all = (read: (wait: Waits) => number): string => waits.map((wait) => figure(read(wait))).join(', ')
  return {
    what: `longest wait at a counter while a round of ${figure(receipts)} receipts is settled, stored and handed over`,
    against: `${LONGEST_PAUSE_MS} ms`,
    unit: 'ms',
    ours: waits.map(({ settledMs, storedMs }) => Math.max(settledMs, storedMs)),
    theirs: waits.map(() => LONGEST_PAUSE_MS),
    reach: { atMost: 1 },
    notes: [
      `${all((wait) => wait.settledMs)} ms while it is settled, at ${figure(fast / 2)}/s on another track (p99 ${all((wait) => wait.p99Ms)} ms)`,
      `of what was due ${all((wait) => wait.afterMs / 1000)} s after that`,
      `${all((wait) => wait.storedMs)} ms while its rows are written and it is handed over, at ${slow(isShort)}/s`,
      `the generator itself was late by ${all((wait) => wait.ownMaxMs)} ms at most`,
    ],
  }
}

/** Milliseconds: the longest waits, when the first of them was due after the settlement, and what the generator was late. */
type Waits = {
  readonly settledMs: number
  readonly p99Ms: number
  readonly afterMs: number
  readonly storedMs: number
  readonly ownMaxMs: number
}
const slow = (isShort: boolean): number => (isShort ? 100 : 300)

const settleOnce = async ({ isShort, say }: Bench, receipts: number, fast: number): Promise<Waits> => {
  const waitMs = Math.ceil((receipts / fast) * 1_500) + (isShort ? 6_000 : 15_000)
  const galop = await startGalop({
    TRACKS: 'large,other',
    ROUND_WAIT_DURATION_MS: String(waitMs),
    BETTING_LOCK_DURATION_MS: String(LOCK_MS),
    RACE_DURATION_MS: '1000',
    RESULTS_DURATION_MS: '500',
  })
  try {
    await runLoad({
      ...selling(galop),
      path: `${selling(galop).path}&track=large`,
      connections: CONNECTIONS,
      warmUpMs: 0,
      durationMs: waitMs,
      mostAnswers: receipts,
    })
    const before = await current(galop, 'large')
    if (before.status !== 'waiting')
      throw new Error(`the large round is ${before.status}: it was sold too slowly`)
    // The other track's round would end in the same moment: without it, its next one is open while this one ends.
    await pause(before.timer.timeLeft - waitMs / 2)
    await voidRound(galop, 'other')
    while ((await current(galop, 'other')).status !== 'waiting') await pause(50)
    const half = Math.max(1, Math.floor(fast / 2))
    const aside = { ...selling(galop), path: `${selling(galop).path}&track=other` }
    const settlesAt = before.timer.serverTime + before.timer.timeLeft + 1_000
    const warmUpMs = isShort ? 200 : 1_000
    const aheadMs = isShort ? 500 : 2_000
    const alongMs = isShort ? 1_000 : 4_000
    await pause(Math.max(0, settlesAt - aheadMs - warmUpMs - Date.now()))
    say(`${receipts} receipts are sold; their round ends in ${figure((settlesAt - Date.now()) / 1000)} s`)
    const settled = await runOpenLoad({
      ...aside,
      perSecond: half,
      warmUpMs,
      durationMs: aheadMs + alongMs,
    })
    if ((await current(galop, 'large')).id === before.id)
      throw new Error('the large round was not settled while it was watched')
    const stored = await untilHandedOver(galop, before.id, slow(isShort), { isShort, say })
    return {
      settledMs: settled.maxMs,
      p99Ms: settled.p99Ms,
      afterMs: settled.maxAt - settlesAt,
      storedMs: stored.maxMs,
      ownMaxMs: Math.max(settled.ownMaxMs, stored.ownMaxMs),
    }
  } finally {
    await galop.stop()
  }
}

/** Sells slowly, in pieces, wherever betting is open, until the large round has left the process. */
const untilHandedOver = async (galop: Galop, roundId: number, perSecond: number, { isShort, say }: Bench) => {
  const pieceMs = isShort ? 300 : 2_000
  const until = Date.now() + 180_000
  let worst = { maxMs: 0, ownMaxMs: 0 }
  for (;;) {
    const path = `${selling(galop).path}&track=${await openTrack(galop, pieceMs)}`
    const piece = await runOpenLoad({
      ...selling(galop),
      path,
      perSecond,
      warmUpMs: 0,
      durationMs: pieceMs,
    })
    if (piece.maxMs > worst.maxMs) worst = piece
    const waiting = await gauge(galop.port, 'galop_receipts_not_stored')
    say(`${waiting} receipts to be stored, longest wait ${figure(worst.maxMs)} ms`)
    if (!(await liveRounds(galop)).includes(roundId)) return worst
    if (Date.now() > until) throw new Error('the large round was not handed over within 180 s')
  }
}

/** A process has to start before it asks, on a machine that does other things too. */
const START_MS = 2_000

/** A track that sells for long enough from now. */
const openTrack = async (galop: Galop, forMs: number): Promise<string> => {
  for (;;) {
    for (const track of ['other', 'large']) {
      const { status, timer } = await current(galop, track)
      if (status === 'waiting' && timer.timeLeft > LOCK_MS + START_MS + forMs) return track
    }
    await pause(50)
  }
}

const liveRounds = async (galop: Galop): Promise<number[]> => {
  const { journal } = (await api(galop, 'ops/persistence')) as {
    journal: { rounds: { roundId: number }[] }
  }
  return journal.rounds.map(({ roundId }) => roundId)
}

type Current = {
  readonly id: number
  readonly status: string
  readonly timer: { readonly timeLeft: number; readonly serverTime: number }
}

const api = async (galop: Galop, path: string, body?: unknown): Promise<unknown> => {
  const response = await fetch(`http://127.0.0.1:${galop.port}/api/v1/${path}`, {
    ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${galop.adminToken}` },
  })
  const answer = (await response.json()) as { success: boolean; data: unknown }
  if (!answer.success) throw new Error(`${path} answers ${JSON.stringify(answer)}`)
  return answer.data
}

const current = async (galop: Galop, track: string): Promise<Current> =>
  (await api(galop, `rounds/current?track=${track}`)) as Current

const voidRound = async (galop: Galop, track: string): Promise<void> => {
  const { id } = await current(galop, track)
  await api(galop, `rounds/${id}/void`, { reason: 'Its next one is to be open meanwhile' })
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
