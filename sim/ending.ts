// The end of a run: nothing goes wrong any more, everybody gets what is due, and then all books are compared.

import { canonical } from './canonical.ts'
import { orderOf, sha256, type Tally, type Told } from './oracle.ts'
import type { Cashier } from './people.ts'
import type { Screen } from './screen.ts'
import type { Station } from './station.ts'
import type { World } from './world.ts'

/** Rounds that were opened before the faults ended: all of them have to be retired and compared. */
const dueRounds = ({ stations, history }: World, until: number): number[] =>
  [...history.rounds.keys()].filter(
    (id) =>
      history.rounds.get(id)![0]!.fact.at < until &&
      !stations.some(({ server, shop }) =>
        shop.tracks.some((track) => server?.racing.current(track)?.id === id),
      ),
  )

/** What is still to come, in words; `undefined` when nothing is. */
export const pendingWork = (
  world: World,
  cashiers: readonly Cashier[],
  screens: readonly Screen[],
  until: number,
): string | undefined => {
  for (const { name, server, queues, waiting } of world.stations) {
    if (!server) return `the server of ${name} is not there`
    if (!server.racing.current(server.racing.tracks[0]!)) return `no round at ${name}`
    const { receipts } = server.jobs.ledger.unstored()
    if (receipts > 0) return `${receipts} receipts of ${name} are not stored`
    const { open, failed } = queues.census()
    if (failed > 0) return `${failed} jobs of ${name} failed`
    if (open > 20) return `${open} jobs of ${name} wait`
    void waiting
  }
  const idle = cashiers.filter(({ isIdle }) => !isIdle).length
  if (idle > 0) return `${idle} people wait for answers`
  for (const id of dueRounds(world, until)) {
    const row = world.tables.rounds.get(id)
    if (row?.retiredAt === undefined) return `round ${id} is not retired`
    if (!row.isReconciled) return `round ${id} was not compared`
    if (world.stations.some(({ server }) => server?.racing.round(id)))
      return `an actor still holds round ${id}`
  }
  const away = screens.find(({ isConnected }) => !isConnected)
  return away && `screen ${away.name} is not connected`
}

export const compareAll = async (world: World): Promise<void> => {
  const sums = new Map<string, { receipts: number; stakes: number; prizes: number }>()
  for (const [roundId, written] of world.history.rounds) {
    const tally = world.judge.tally(roundId)
    compareDraw(world, roundId, tally)
    comparePhases(world, roundId)
    comparePayments(world, roundId, tally)
    compareMoney(world, roundId, tally)
    const station = world.stations.find(({ name }) => name === written[0]!.station)!
    await compareRows(world, roundId, tally, station)
    if (world.tables.rounds.get(roundId)?.retiredAt !== undefined) addTo(sums, tally)
  }
  compareTotals(world, sums)
  compareRequests(world)
}

const compareDraw = (
  { verdict, secrets, history }: World,
  roundId: number,
  { opened, settled, voided }: Tally,
): void => {
  const seed = secrets.seedOf(opened)
  verdict.check('S6', seed !== undefined && sha256(seed) === opened.commitment, () => [
    `round ${roundId} was committed to ${opened.commitment}, which is not its place in its chain`,
    roundId,
  ])
  verdict.check('S6', !voided || voided.seed === seed, () => [
    `round ${roundId} was voided and shows ${voided?.seed}; its seed is ${seed}`,
    roundId,
  ])
  if (!settled || seed === undefined) return
  const order = orderOf(seed, roundId, opened.field)
  verdict.check('S6', settled.seed === seed && settled.order.join() === order.join(), () => [
    `round ${roundId} ended ${settled.order} by ${settled.seed}; its seed ${seed} gives ${order}`,
    roundId,
  ])
  void history
}

const comparePhases = ({ verdict, history }: World, roundId: number): void => {
  const order = ['RoundOpened', 'BettingLocked', 'RaceStarted', 'RoundSettled']
  const facts = history.facts(roundId)
  const phases = facts.map(({ type }) => type).filter((type) => order.includes(type))
  // A void comes last, instead of the result.
  const voids = facts.filter(({ type }) => type === 'RoundVoided').length
  const isRight = voids === 0 || (voids === 1 && !phases.includes('RoundSettled'))
  verdict.check('S16', isRight && phases.join() === order.slice(0, phases.length).join(), () => [
    `round ${roundId} went through ${phases}`,
    roundId,
  ])
  const lock = facts.findIndex(({ type }) => type === 'BettingLocked')
  const end = lock < 0 ? facts.findIndex(({ type }) => type === 'RoundVoided') : lock
  const late =
    end < 0 ? -1 : facts.findLastIndex(({ type }) => type === 'ReceiptSold' || type === 'ReceiptCancelled')
  verdict.check('S4', late <= end, () => [
    `round ${roundId}: fact ${late + 1} came after betting was locked`,
    roundId,
  ])
}

const comparePayments = (
  { verdict, judge }: World,
  roundId: number,
  { receipts, settled, voided }: Tally,
): void => {
  for (const told of receipts.values()) {
    const account = judge.accounts.get(told.id)
    verdict.check('S5', told.payments <= 1, () => [
      `${told.id} was paid ${told.payments} times`,
      told.id,
      roundId,
    ])
    verdict.check(
      'S5',
      told.payments === 0 || voided !== undefined || (settled !== undefined && told.prize > 0),
      () => [`${told.id} was paid and won ${told.prize}`, told.id, roundId],
    )
    verdict.check('S3', !account?.isCancelled || told.status === 'cancelled', () => [
      `${told.id} was cancelled, and is ${told.status}`,
      told.id,
      roundId,
    ])
  }
}

const compareMoney = ({ verdict, stations, tables }: World, roundId: number, { receipts }: Tally): void => {
  const sum = (of: (told: Told) => number): number =>
    [...receipts.values()].reduce((all, told) => all + of(told), 0)
  const stakesIn = sum(({ total }) => total)
  const cancelled = sum(({ status, total }) => (status === 'cancelled' ? total : 0))
  const refunded = cancelled + sum(({ status, total }) => (status === 'refunded' ? total : 0))
  const paid = sum(({ payments, prize }) => (payments > 0 ? prize : 0))
  const live = stations
    .map(({ server }) => server?.racing.round(roundId))
    .find((round) => round !== undefined)
  if (live)
    verdict.check(
      'S7',
      live.stakesIn === stakesIn && live.refunded === refunded && live.prizesPaid === paid,
      () => [
        `round ${roundId} counts ${live.stakesIn} in, ${live.refunded} back, ${live.prizesPaid} paid; it was ${stakesIn}, ${refunded}, ${paid}`,
        roundId,
      ],
    )
  const row = tables.rounds.get(roundId)
  if (row?.retiredAt === undefined) return
  const due = sum(({ status, prize }) => (status === 'cancelled' ? 0 : prize))
  verdict.check('S7', row.stakes === stakesIn - cancelled && row.prizes === due, () => [
    `round ${roundId} says ${row.stakes} staked and ${row.prizes} won; it was ${stakesIn - cancelled} and ${due}`,
    roundId,
  ])
}

const compareRows = async (world: World, roundId: number, tally: Tally, station: Station): Promise<void> => {
  const { verdict, tables, history } = world
  const row = tables.rounds.get(roundId)
  const live = station.server?.racing.round(roundId)
  const isRetired = row?.retiredAt !== undefined
  verdict.see(isRetired ? 'retired rounds compared' : 'live rounds compared')
  verdict.check('S8', isRetired !== (live !== undefined), () => [
    `round ${roundId} is ${live ? 'live' : 'not live'} and ${isRetired ? '' : 'not '}retired`,
    roundId,
  ])
  const stored = tables.facts.get(roundId)
  for (const [i, { json }] of history.rounds.get(roundId)!.entries()) {
    const fact = stored?.get(i + 1)
    verdict.check('S8', (fact === undefined && !isRetired) || canonical(fact) === json, () => [
      `fact ${i + 1} of round ${roundId} is ${canonical(fact)} in Postgres, and ${json} on disk`,
      roundId,
    ])
  }
  for (const told of tally.receipts.values()) {
    const kept = isRetired ? tables.receipts.get(told.id) : live?.receipts.get(told.id)
    verdict.check('S8', describe(kept) === describe(told), () => [
      `${told.id} is ${describe(kept)} ${isRetired ? 'in Postgres' : 'with its actor'}; the facts say ${describe(told)}`,
      told.id,
      roundId,
    ])
  }
  const count = isRetired
    ? [...tables.receipts.values()].filter((one) => one.roundId === roundId).length
    : (live?.receipts.size ?? 0)
  verdict.check('S2', count === tally.receipts.size, () => [
    `round ${roundId} has ${count} receipts, and facts of ${tally.receipts.size}`,
    roundId,
  ])
  await compareCache(world, roundId, tally, station)
}

type Kept = { status: string; prize: number; prints: number; total: number }
const describe = (kept: Kept | undefined): string =>
  kept
    ? `${kept.status}, ${kept.total}, ${kept.status === 'cancelled' ? '' : kept.prize}, ${kept.prints} prints`
    : 'not there'

/** A cache may have forgotten a round; what it remembers is true. */
const compareCache = async (
  { verdict, stations }: World,
  roundId: number,
  tally: Tally,
  station: Station,
): Promise<void> => {
  const cached = await station.cache.read(roundId)
  if (!cached) return
  verdict.see('cached rounds compared')
  // A cache in a server's own memory does not hear of what another server pays: a limit that the README tells of.
  const mayBePaidElsewhere = stations.length > 1 && !station.isOnRedis
  const open: Record<string, string> = mayBePaidElsewhere ? { paid: 'won', refunded: 'refundable' } : {}
  const shown = (status: string): string => open[status] ?? status
  const line = (id: number, status: string, prize: number): string => `${id} ${shown(status)} ${prize}`
  const is = cached.receipts.map(({ id, status, prize }) => line(id, status, prize)).sort()
  const held = [...tally.receipts.values()].filter(({ status }) => status !== 'cancelled')
  const should = held.map(({ id, status, prize }) => line(id, status, prize)).sort()
  verdict.check('S8', is.join() === should.join(), () => [
    `the cache says of round ${roundId}: ${is}; it is: ${should}`,
    roundId,
  ])
  const stakes = held.reduce((sum, { total }) => sum + total, 0)
  verdict.check('S7', cached.stats.totalMise === stakes && cached.stats.totalReceipts === held.length, () => [
    `the cache sums up ${cached.stats.totalMise} in round ${roundId}; it is ${stakes}`,
    roundId,
  ])
}

const addTo = (
  sums: Map<string, { receipts: number; stakes: number; prizes: number }>,
  { receipts }: Tally,
): void => {
  for (const { by, status, total, prize } of receipts.values()) {
    const name = `${by}/${status}`
    const sum = sums.get(name) ?? { receipts: 0, stakes: 0, prizes: 0 }
    sums.set(name, { receipts: sum.receipts + 1, stakes: sum.stakes + total, prizes: sum.prizes + prize })
  }
}

const compareTotals = (
  { verdict, tables }: World,
  sums: ReadonlyMap<string, { receipts: number; stakes: number; prizes: number }>,
): void => {
  const text = (of: ReadonlyMap<string, { receipts: number; stakes: number; prizes: number }>): string =>
    [...of]
      .filter(([, { receipts }]) => receipts !== 0)
      .map(([name, { receipts, stakes, prizes }]) => `${name}: ${receipts} ${stakes} ${prizes}`)
      .sort()
      .join('; ')
  verdict.check('S7', text(tables.totals) === text(sums), () => [
    `the sums of users are ${text(tables.totals)}; they should be ${text(sums)}`,
  ])
}

/** Each sale goes back to a request, which it was sold to as often as that may be. */
const compareRequests = ({ verdict, judge, history }: World): void => {
  const sold = new Map<number, number>()
  for (const [roundId] of history.rounds)
    for (const fact of history.facts(roundId)) {
      if (fact.type !== 'ReceiptSold') continue
      const id = fact.sale.bets[0]!.stake - 1_000
      const asked = judge.asked.get(id)?.request
      const isAsked =
        asked?.type === 'SellReceipt' &&
        asked.by.id === fact.by &&
        JSON.stringify(asked.bets.map((bet) => [bet.number, bet.stake])) ===
          JSON.stringify(fact.sale.bets.map((bet) => [bet.number, bet.stake]))
      verdict.check('S2', isAsked, () => [
        `nobody asked for receipt ${fact.id}: ${JSON.stringify(fact)}`,
        fact.id,
        roundId,
      ])
      sold.set(id, (sold.get(id) ?? 0) + 1)
    }
  for (const [id, { request, sent, acknowledged, refused }] of judge.asked) {
    if (request.type !== 'SellReceipt') continue
    const times = sold.get(id) ?? 0
    verdict.check('S12', !request.once || times <= 1, () => [
      `request ${id} was sold to ${times} times under one key`,
      id,
    ])
    verdict.check('S2', times <= sent - (request.once && refused > 0 ? sent : refused), () => [
      `request ${id} was sent ${sent} times and refused ${refused} times; ${times} receipts were sold to it`,
      id,
    ])
    verdict.check(
      'S1',
      times >= Math.min(acknowledged, 1) && (request.once !== undefined || times >= acknowledged),
      () => [`request ${id} was acknowledged ${acknowledged} times, and sold to ${times} times`, id],
    )
  }
}
