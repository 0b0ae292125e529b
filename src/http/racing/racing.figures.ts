import type { Journal } from '../../actors/journal.port.ts'
import type { RacingPort } from '../../actors/racing/racing.port.ts'
import type { Fact } from '../../domain/racing/facts.ts'
import type { Check } from '../health.routes.ts'
import type { LiveFigures } from '../live-hub.ts'
import type { Gauges } from '../metrics.ts'
import type { Persistence } from './ops.routes.ts'

// How racing is doing, for people, for Prometheus and for whoever balances the load.

type Counts = Readonly<
  Record<string, { waiting: number; active: number; delayed: number; failed: number; completed: number }>
>

/** The background jobs, as far as they are looked at. */
export type JobsSeen = {
  readonly ledger: {
    unstored(): { readonly receipts: number; readonly amount: number; readonly oldestAt: number | undefined }
    pendingOf(roundId: number): number
    unstoredOf(roundId: number): {
      readonly receipts: number
      readonly amount: number
      readonly oldestAt: number | undefined
    }
  }
  counts(): Promise<Counts | undefined>
  handedOver(roundId: number): { readonly persist: number; readonly cache: number }
  differing(): ReadonlyMap<number, string>
  /** Another data directory sells for this station now. */
  isSuperseded(): boolean
}

export type FiguresOptions = {
  readonly racing: RacingPort
  readonly journal: Journal<Fact>
  readonly jobs: JobsSeen
  readonly live: () => LiveFigures
  /** Rejects while Postgres does not answer. */
  readonly pingPostgres: () => Promise<unknown>
  /** What is wrong with the machine, and what of it could not be looked at. */
  readonly machine: () => { readonly found: readonly Condition[]; readonly unknown: readonly string[] }
  readonly now: () => number
}

type Condition = { readonly code: string; readonly id: string; readonly message: string }
const alarm = (code: string, message: string, id = code): Condition => ({ code, id, message })

/** Receipts that wait longer than this for Postgres are worth an alarm. */
const LATE_MS = 60_000
const CHECK_LIMIT_MS = 2_000

export const racingFigures = ({
  racing,
  journal,
  jobs,
  live,
  pingPostgres,
  machine,
  now,
}: FiguresOptions) => {
  const unstored = (): Persistence['unstored'] => {
    const { receipts, amount, oldestAt } = jobs.ledger.unstored()
    return {
      receipts,
      amount,
      oldestAt: oldestAt ?? null,
      oldestAgeMs: oldestAt === undefined ? null : Math.max(0, now() - oldestAt),
    }
  }
  const unstoredOf = (roundId: number) => {
    const { receipts, amount, oldestAt = null } = jobs.ledger.unstoredOf(roundId)
    return { receipts, amount, oldestAt }
  }
  const failedOf = (counts: Counts): number =>
    Object.values(counts).reduce((sum, queue) => sum + queue.failed, 0)

  const conditions = (late: Persistence['unstored'], failed: number | null): Condition[] => [
    ...(journal.failure
      ? [alarm('JOURNAL', 'The journal cannot write; nothing is sold. Look at the disk.')]
      : []),
    ...(late.oldestAgeMs !== null && late.oldestAgeMs > LATE_MS
      ? [
          alarm(
            'LATE',
            `${late.receipts} receipts wait for Postgres, the oldest for ${Math.round(late.oldestAgeMs / 1000)} s.`,
          ),
        ]
      : []),
    ...(failed ? [alarm('FAILED_JOBS', `${failed} jobs failed for good; see /admin/jobs.`)] : []),
    ...(jobs.isSuperseded()
      ? [
          alarm(
            'SUPERSEDED',
            'Another data directory has claimed this station number; stop one of the two servers.',
          ),
        ]
      : []),
    ...[...jobs.differing()].map(([roundId, found]) =>
      alarm('DISCREPANCY', `Rows and facts of round ${roundId} differ: ${found}.`, `DISCREPANCY/${roundId}`),
    ),
    ...machine().found,
  ]

  /** What is wrong at present, for whoever watches. */
  const look = async (): Promise<{ found: Condition[]; unknown: string[] }> => {
    const { value: counts } = await within(jobs.counts())
    const failed = counts ? failedOf(counts) : null
    const unknown = [...machine().unknown, ...(failed === null ? ['FAILED_JOBS'] : [])]
    return { found: conditions(unstored(), failed), unknown }
  }

  const persistence = async (): Promise<Persistence> => {
    const { value: counts } = await within(jobs.counts())
    const late = unstored()
    const failedJobs = counts ? failedOf(counts) : null
    return {
      unstored: late,
      jobs: counts ?? null,
      failedJobs,
      journal: {
        writable: journal.failure === undefined,
        rounds: [...racing.rounds()].map((round) => ({
          roundId: round.id,
          track: round.opened.track,
          status: round.phase,
          lastFact: journal.last(round.id),
          handedOver: jobs.handedOver(round.id),
          notStored: jobs.ledger.pendingOf(round.id),
          unstored: unstoredOf(round.id),
        })),
      },
      alarms: conditions(late, failedJobs).map(({ code, message }) => ({ code, message })),
    }
  }

  const checks = async (): Promise<Record<string, Check>> => {
    const [postgres, counts] = await Promise.all([within(pingPostgres()), within(jobs.counts())])
    return {
      journal: { ok: journal.failure === undefined },
      postgres: { ok: postgres.answered },
      queues: { ok: counts.value !== undefined, ...(counts.value && { queues: counts.value }) },
      persistence: {
        ok: jobs.differing().size === 0 && !jobs.isSuperseded(),
        receiptsNotStored: unstored().receipts,
      },
      sockets: { ok: true, ...live() },
    }
  }

  const gauges: Gauges = {
    galop_receipts_not_stored: {
      help: 'Receipts sold and not known to be in Postgres',
      read: () => unstored().receipts,
    },
    galop_receipts_not_stored_oldest_seconds: {
      help: 'Age of the oldest of them',
      read: () => (unstored().oldestAgeMs ?? 0) / 1000,
    },
    galop_rounds_live: { help: 'Rounds that an actor owns', read: () => [...racing.rounds()].length },
    galop_rounds_that_differ: {
      help: 'Retired rounds whose rows and facts differ',
      read: () => jobs.differing().size,
    },
    galop_journal_writable: { help: '1 while the journal writes', read: () => (journal.failure ? 0 : 1) },
    galop_jobs_failed: {
      help: 'Jobs that failed for good, -1 while the queues cannot be asked',
      read: async () => {
        const { value } = await within(jobs.counts())
        return value ? failedOf(value) : -1
      },
    },
    galop_sockets: { help: 'Open sockets', read: () => live().sockets },
    galop_sockets_cut_off: { help: 'Clients cut off because they were too slow', read: () => live().cutOff },
    galop_socket_commands: { help: 'Commands run and answered on sockets', read: () => live().commands },
    galop_messages_delivered: { help: 'Messages written to sockets', read: () => live().delivered },
  }

  const isSelling = (): boolean =>
    journal.failure === undefined && racing.tracks.every((track) => racing.current(track) !== undefined)

  return { persistence, look, checks, gauges, isSelling }
}

/** What came of a promise within the time limit of a check. */
const within = async <T>(asked: Promise<T>): Promise<{ answered: boolean; value: T | undefined }> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<{ answered: boolean; value: undefined }>((resolve) => {
    timer = setTimeout(() => resolve({ answered: false, value: undefined }), CHECK_LIMIT_MS)
  })
  const answer = asked.then(
    (value) => ({ answered: true, value }),
    () => ({ answered: false, value: undefined }),
  )
  return Promise.race([answer, late]).finally(() => clearTimeout(timer))
}
