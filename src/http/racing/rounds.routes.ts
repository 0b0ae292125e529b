import { type Context, Hono } from 'hono'
import type { RacingPort } from '../../actors/racing/racing.port.ts'
import type { RoundCache } from '../../db/racing/round.cache.ts'
import type { RetiredRound } from '../../db/racing/rounds.queries.ts'
import { largestStake } from '../../domain/racing/decide.ts'
import type { Participant } from '../../domain/racing/odds.ts'
import type { Round } from '../../domain/racing/round.ts'
import { ok, refusal } from '../answer.ts'
import { checked } from '../body.ts'
import { maybeSignedIn, type OpenEnv } from '../guard.ts'
import { route } from '../route.ts'
import type { Sessions } from '../session.ts'
import { publicRound } from './racing.view.ts'
import { trackOf, unknownTrack } from './receipts.routes.ts'
import { docs, PageQuery, RoundParameter } from './rounds.docs.ts'

/** The archive's rounds, ready to be asked. */
export type ArchiveRounds = {
  readonly one: (id: number) => Promise<RetiredRound | undefined>
  readonly page: (track: string, offset: number, limit: number) => Promise<RetiredRound[]>
  readonly count: (track: string) => Promise<number>
  /** Stakes by participant, cancelled receipts left out. */
  readonly stakes: (roundId: number) => Promise<Map<number, number>>
}

export type RoundsOptions = {
  readonly racing: RacingPort
  readonly archive: ArchiveRounds
  readonly cache: Pick<RoundCache, 'read'>
  readonly sessions: Sessions
  readonly now: () => number
}

/** `/rounds`: the current one, past ones, and the proof of their outcome. Public; sums are for staff. */
export const roundsRoutes = ({ racing, archive, cache, sessions, now }: RoundsOptions) => {
  const app = new Hono<OpenEnv>()
  const anybody = maybeSignedIn(sessions)

  const current = async (c: Context<OpenEnv>): Promise<Response> => {
    const track = trackOf(racing, c.req.query('track'))
    if (track === undefined) return unknownTrack(c, racing)
    const round = racing.current(track)
    if (!round) return refusal(c, 'NO_ROUND', undefined, { track })
    const { paused } = racing.trackState(track)
    const view = {
      ...publicRound(round, now()),
      paused,
      ...(c.get('session') && { stats: liveStats(round) }),
    }
    await racing.settled()
    return ok(c, view)
  }

  const one = async (c: Context<OpenEnv>): Promise<Response> => {
    const id = roundIdOf(c)
    if (id instanceof Response) return id
    const isStaff = c.get('session') !== undefined
    const live = racing.round(id)
    if (live) {
      const view = { ...publicRound(live, now()), ...(isStaff && { stats: liveStats(live) }) }
      await racing.settled()
      return ok(c, view)
    }
    const past = await archive.one(id)
    if (!past) return unknownRound(c)
    return ok(c, { ...pastRound(past), ...(isStaff && { stats: await pastStats(past) }) })
  }

  /** From the cache while it remembers, from the archive otherwise. */
  const pastStats = async (past: RetiredRound) => {
    const cached = await cache.read(past.id).catch(() => undefined)
    if (cached) return cached.stats
    const participantMise = Object.fromEntries(await archive.stakes(past.id))
    return { totalReceipts: past.receiptCount, totalMise: past.stakes, participantMise }
  }

  const list = async (c: Context<OpenEnv>): Promise<Response> => {
    const query = checked(c, PageQuery, c.req.query())
    if (query instanceof Response) return query
    const track = trackOf(racing, query.track)
    if (track === undefined) return unknownTrack(c, racing)
    for (;;) {
      const before = await racing.betweenHandOvers()
      const { rounds, totalItems } = await history(track, (query.page - 1) * query.limit, query.limit)
      if ((await racing.betweenHandOvers()) !== before) continue
      const first = (query.page - 1) * query.limit + 1
      return ok(c, {
        pagination: {
          currentPage: query.page,
          totalPages: Math.ceil(totalItems / query.limit),
          totalItems,
          limit: query.limit,
          displayedRange: rounds.length === 0 ? '0-0' : `${first}-${first + rounds.length - 1}`,
        },
        rounds,
      })
    }
  }

  /** Settled rounds, latest first: the live ones are the latest of their track. */
  const history = async (track: string, offset: number, limit: number) => {
    const live = [...racing.rounds()]
      .filter((round) => round.opened.track === track && round.phase === 'settled')
      .reverse()
    const own = live.slice(offset, offset + limit).map(settledRound)
    await racing.settled()
    const [rest, count] = await Promise.all([
      own.length < limit ? archive.page(track, Math.max(0, offset - live.length), limit - own.length) : [],
      archive.count(track),
    ])
    return { rounds: [...own, ...rest.map(pastRound)], totalItems: live.length + count }
  }

  const proof = async (c: Context<OpenEnv>): Promise<Response> => {
    const id = roundIdOf(c)
    if (id instanceof Response) return id
    const live = racing.round(id)
    if (live) {
      const { field, commitment, chain } = live.opened
      const answer = proofOf({
        id,
        field,
        commitment,
        chain,
        seed: (live.settled ?? live.voided)?.seed,
        order: live.settled?.order,
        isVoided: live.voided !== undefined,
      })
      await racing.settled()
      return ok(c, answer)
    }
    const past = await archive.one(id)
    return past ? ok(c, proofOf({ ...past, isVoided: past.voided !== undefined })) : unknownRound(c)
  }

  route(app, 'GET', '/rounds/', docs.list, anybody, list)
  route(app, 'GET', '/rounds/current', docs.current, anybody, current)
  route(app, 'GET', '/rounds/:id', docs.one, anybody, one)
  route(app, 'GET', '/rounds/:id/proof', docs.proof, anybody, proof)
  return app
}

export const roundIdOf = (c: Context): number | Response => {
  const parameters = checked(c, RoundParameter, c.req.param())
  return parameters instanceof Response ? parameters : parameters.id
}

export const unknownRound = (c: Context): Response =>
  refusal(
    c,
    'NOT_FOUND',
    'There is no such round, or it is not stored yet; /api/v1/rounds lists those that there are.',
  )

export const liveStats = (round: Round) => {
  const staked = [...round.stakes].filter(([, stakes]) => stakes > 0)
  const participantMise: Record<string, number> = Object.fromEntries(staked)
  const totalMise = staked.reduce((sum, [, stakes]) => sum + stakes, 0)
  const largestStakes = Object.fromEntries(
    round.opened.field.map((one) => [one.number, largestStake(round, one)]),
  )
  return { totalReceipts: round.receiptCount, totalMise, participantMise, largestStakes }
}

const participants = (field: readonly Participant[]) =>
  field.map(({ number, name, coeff }) => ({ number, name, coeff: coeff / 100 }))

const pastRound = (round: RetiredRound) => ({
  id: round.id,
  roundId: round.id,
  track: round.track,
  status: 'settled' as const,
  openedAt: round.openedAt,
  settledAt: round.settledAt,
  participants: participants(round.field),
  commitment: round.commitment,
  ...ending(round.settledAt, round.seed, round.order),
})

const settledRound = ({ id, opened, settled, voided }: Round) => ({
  id,
  roundId: id,
  track: opened.track,
  status: 'settled' as const,
  openedAt: opened.at,
  settledAt: (settled ?? voided)!.at,
  participants: participants(opened.field),
  commitment: opened.commitment,
  ...ending((settled ?? voided)!.at, (settled ?? voided)!.seed, settled?.order ?? null),
})

const ending = (at: number, seed: string, order: readonly number[] | null) =>
  order ? { result: { order, winner: order[0]!, seed } } : { result: null, voided: { at, seed } }

type Proved = {
  readonly id: number
  readonly field: readonly Participant[]
  readonly commitment: string
  readonly chain: { readonly anchor: string; readonly index: number }
  readonly seed?: string | undefined
  readonly order?: readonly number[] | null | undefined
  readonly isVoided: boolean
}

const proofOf = ({ id, field, commitment, chain, seed, order, isVoided }: Proved) => ({
  roundId: id,
  commitment,
  chain,
  field: field.map(({ number, name, chance }) => ({ number, name, chance })),
  seed: seed ?? null,
  order: order ?? null,
  voided: isVoided,
  method: METHOD,
})

const METHOD = [
  'commitment = sha256(seed); with a chain index above 0 it is also the seed of the track’s round before',
  'block(i) = HMAC-SHA256(key = seed, "galop order of arrival 1" LF roundId LF i), i = 0, 1, 2 …',
  'number(i) = first 48 bits of block(i); those not below the largest multiple of n under 2^48 are skipped; taken modulo n',
  'places are drawn one after another among those still running, in the order of the field: n is the sum of their chances, and the number falls to one of them as their chances add up',
]
