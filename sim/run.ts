// One run from one seed.
import type { Session } from '../src/http/session.ts'
import { compareAll, pendingWork } from './ending.ts'
import type { FaultName } from './faults.ts'
import { machine, setTimeOfRun } from './globals.ts'
import { Cashier } from './people.ts'
import { WORLD } from './scheduler.ts'
import { Screen } from './screen.ts'
import type { Station } from './station.ts'
import { Trace } from './trace.ts'
import type { Violation } from './verdict.ts'
import { ADMIN_ID, World } from './world.ts'

export type RunResult = {
  readonly seed: number
  readonly hash: string
  readonly steps: number
  readonly commands: number
  readonly checks: number
  readonly messages: number
  readonly simulatedMs: number
  readonly faults: ReadonlyMap<FaultName, number>
  readonly seen: ReadonlyMap<string, number>
  readonly violation: Violation | undefined
  readonly lines: readonly string[] | undefined
}

/** A run that is not over by then hangs. */
const STEPS_AT_MOST = 400_000
const QUIET_MS_AT_MOST = 900_000
/** How long all must have been done before books are compared: what is on its way arrives. */
const SETTLE_MS = 400
const QUIETEN_MS_AT_MOST = 20_000

/** What is heard of promises that were rejected without a listener. */
export const unheard: { hear: (reason: unknown) => void } = { hear: () => {} }

export const runSeed = async (seed: number, isTraceKept = false): Promise<RunResult> => {
  const trace = new Trace(isTraceKept)
  const world = new World(seed, trace)
  const { scheduler, verdict, faults } = world
  setTimeOfRun({
    scheduler,
    dayMs: () =>
      world.stations.find(({ server }) => server?.owner === scheduler.owner)?.now() ?? world.dayMs(),
    busyShare: () => faults.busyShare(),
  })
  unheard.hear = (reason) => world.fault(reason, 'a rejection that nobody heard')
  const cashiers: Cashier[] = []
  const screens: Screen[] = []
  try {
    world.begin()
    populate(world, cashiers, screens)
    await drive(world, () => scheduler.nowMs >= world.activeMs)
    faults.end()
    for (const screen of screens) screen.rest()
    const endedAt = scheduler.nowMs
    const until = world.dayMs() - 60_000
    let pending: string | undefined = 'nothing was looked at'
    while (!verdict.found && pending !== undefined && scheduler.nowMs - endedAt < QUIET_MS_AT_MOST) {
      const next = scheduler.nowMs + SETTLE_MS
      await drive(world, () => scheduler.nowMs >= next)
      pending = pendingWork(world, cashiers, screens, until)
    }
    verdict.check('S9', pending === undefined, () => [
      `not over after ${scheduler.nowMs - endedAt} ms: ${pending}`,
    ])
    await quieten(world)
    if (!verdict.found) {
      for (const screen of screens) screen.compare()
      await compareAll(world)
    }
  } catch (error) {
    verdict.check('S17', false, () => [`the run broke: ${(error as Error).stack}`])
  } finally {
    setTimeOfRun(undefined)
  }
  trace.add(`${verdict.checks} checks`)
  return {
    seed,
    hash: trace.hash,
    steps: scheduler.steps,
    commands: cashiers.reduce((sum, one) => sum + one.commands, 0),
    checks: verdict.checks,
    messages: screens.reduce((sum, one) => sum + one.messages, 0),
    simulatedMs: scheduler.nowMs,
    faults: faults.counts,
    seen: verdict.seen,
    violation: verdict.found,
    lines: trace.lines,
  }
}

/** Runs tasks, each in a turn of its own, until it is enough or something was found. */
const drive = (world: World, isEnough: () => boolean): Promise<void> =>
  new Promise((resolve, reject) => {
    const { scheduler, verdict } = world
    const turn = (): void => {
      try {
        if (verdict.found || isEnough()) return resolve()
        if (scheduler.steps > STEPS_AT_MOST) verdict.check('S9', false, () => ['steps without end'])
        if (!scheduler.step()) verdict.check('S9', false, () => ['nobody has anything to do any more'])
        machine.setImmediate(turn)
      } catch (error) {
        reject(error)
      }
    }
    machine.setImmediate(turn)
  })

/** Runs on to a moment at which no commit and no frame is on its way. If none comes, what is missing is found missing. */
const quieten = async (world: World): Promise<void> => {
  const { scheduler, stations, screens } = world
  const last = scheduler.nowMs + QUIETEN_MS_AT_MOST
  const isQuiet = (): boolean =>
    stations.every(({ server, disk }) => server && disk.isIdle && !server.journal.settled()) &&
    world.postgresLine.isIdle &&
    stations.every((station) => !isHandingOver(world, station) && isCachedUp(station)) &&
    stations.every(({ disk }) => [...disk.durable.notes('uncache/')].length === 0) &&
    screens.every((screen) => screen.isCaughtUp())
  await drive(world, () => scheduler.nowMs >= last || isQuiet())
}

const isHandingOver = ({ tables }: World, { server }: Station): boolean =>
  [...(server?.racing.rounds() ?? [])].some(({ id }) => tables.rounds.get(id)?.retiredAt !== undefined)

/** Whether the cache was told of all that is on disk, and did as it was told. */
const isCachedUp = ({ server, queues }: Station): boolean =>
  queues.census().open === 0 &&
  [...(server?.racing.rounds() ?? [])].every(
    ({ id }) => server?.jobs.handedOver(id).cache === server?.journal.last(id),
  )

const populate = (world: World, cashiers: Cashier[], screens: Screen[]): void => {
  const chance = world.chance('plan')
  world.scheduler.owner = WORLD
  for (const [i, station] of world.stations.entries()) {
    const people = Array.from({ length: chance.between(1, 3) }, (_, j) => ({
      id: (i + 1) * 10 + j,
      admin: false,
    }))
    for (const person of [...people, world.admin]) cashiers.push(new Cashier(world, station, person))
    for (const id of [undefined, people[0]!.id, ADMIN_ID]) {
      if (chance.happens(0.3)) continue
      screens.push(
        new Screen(
          world,
          station,
          `screen ${id ?? 'public'} of ${station.name}`,
          id === undefined ? undefined : sessionOf(id),
        ),
      )
    }
  }
  world.screens = screens
}

const sessionOf = (userId: number): Session => ({
  userId,
  name: `user ${userId}`,
  role: userId === ADMIN_ID ? 'admin' : 'cashier',
  tokenId: `token ${userId}`,
  tokenVersion: 1,
  expiresAt: Number.MAX_SAFE_INTEGER,
})
