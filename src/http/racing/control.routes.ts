import { type Context, Hono } from 'hono'
import type { DescribeRouteOptions } from 'hono-openapi'
import * as v from 'valibot'
import type { RacingPort, TrackState } from '../../actors/racing/racing.port.ts'
import { isRefusal, refuse } from '../../domain/racing/refusals.ts'
import type { Voided } from '../../domain/racing/voided.ts'
import { adminRefusals, answersOf, bodyRefusals, jsonOf, signedInSecurity } from '../answer.schema.ts'
import { ok } from '../answer.ts'
import { readBody } from '../body.ts'
import { adminOnly, type Env } from '../guard.ts'
import { route } from '../route.ts'
import type { Sessions } from '../session.ts'
import { refuseWith, trackOf, unknownTrack } from './receipts.routes.ts'
import { type ArchiveRounds, roundIdOf, unknownRound } from './rounds.routes.ts'

export type ControlOptions = {
  readonly racing: RacingPort
  readonly archive: Pick<ArchiveRounds, 'one'>
  readonly sessions: Sessions
}

/** What admins do to rounds and tracks: void one, pause and resume the other. */
export const controlRoutes = ({ racing, archive, sessions }: ControlOptions) => {
  const app = new Hono<Env>()
  const admin = adminOnly(sessions)

  const voidRound = async (c: Context<Env>): Promise<Response> => {
    const id = roundIdOf(c)
    if (id instanceof Response) return id
    const body = await readBody(c, VoidBody)
    if (body instanceof Response) return body
    const by = c.get('session').userId
    const outcome = await racing.voidRound(id, { type: 'VoidRound', by, reason: body.reason })
    if (!outcome) return voidRetired(c, id)
    return isRefusal(outcome) ? refuseWith(c, outcome) : ok(c, shownVoid(outcome))
  }

  /** The archive's rounds have their end already: nothing is changed, and what was voided says so again. */
  const voidRetired = async (c: Context, id: number): Promise<Response> => {
    const past = await archive.one(id)
    if (!past) return unknownRound(c)
    const { track, settledAt: at, endsAt, voided, receiptCount: receipts, stakes } = past
    if (!voided) return refuseWith(c, refuse('ROUND_DECIDED', { roundId: id, endsAt }))
    return ok(c, shownVoid({ roundId: id, track, at, ...voided, receipts, stakes }))
  }

  const list = async (c: Context<Env>): Promise<Response> => {
    const tracks = racing.tracks.map((track) => racing.trackState(track))
    await racing.settled()
    return ok(c, { tracks })
  }

  const pause =
    (paused: boolean) =>
    async (c: Context<Env>): Promise<Response> => {
      const track = trackOf(racing, c.req.param('track'))
      if (track === undefined) return unknownTrack(c, racing)
      return ok(c, (await racing.pause(track, paused, c.get('session').userId)) satisfies TrackState)
    }

  route(app, 'POST', '/rounds/:id/void', docs.void, admin, voidRound)
  route(app, 'GET', '/tracks', docs.tracks, admin, list)
  route(app, 'POST', '/tracks/:track/pause', docs.pause, admin, pause(true))
  route(app, 'POST', '/tracks/:track/resume', docs.resume, admin, pause(false))
  return app
}

const shownVoid = ({ roundId, track, at, by, reason, receipts, stakes }: Voided) => ({
  roundId,
  track,
  voidedAt: at,
  voidedBy: by,
  reason,
  receipts,
  stakes,
})

const VoidBody = v.pipe(
  v.object({
    reason: v.pipe(
      v.string(),
      v.trim(),
      v.nonEmpty('Say why, for those who ask later'),
      v.maxLength(200, 'At most 200 characters'),
    ),
  }),
  v.metadata({ ref: 'Void' }),
)

const VoidedRound = v.pipe(
  v.object({
    roundId: v.number(),
    track: v.string(),
    voidedAt: v.number(),
    voidedBy: v.number(),
    reason: v.string(),
    receipts: v.number(),
    stakes: v.number(),
  }),
  v.metadata({
    ref: 'VoidedRound',
    description: 'The receipts that get their stake back, and the sum of it in the smallest unit.',
  }),
)

const Track = v.pipe(
  v.object({
    track: v.string(),
    paused: v.boolean(),
    changedAt: v.nullable(v.number()),
    changedBy: v.nullable(v.number()),
  }),
  v.metadata({ ref: 'Track', description: 'Who paused or resumed it last, and when.' }),
)

const ofRound = [
  { name: 'id', in: 'path' as const, required: true, schema: { type: 'integer' as const, minimum: 1 } },
]
const ofTrack = [{ name: 'track', in: 'path' as const, required: true, schema: { type: 'string' as const } }]
const pausing = answersOf(Track, [...adminRefusals, 'BAD_REQUEST', 'JOURNAL_UNAVAILABLE'])

const docs = {
  void: {
    tags: ['control'],
    summary: 'End a round without a winner; every receipt gets its stake back at the counter',
    description:
      'For admins, until the race is over. Asked again, the answer is the same and nothing is done twice. The stakes are given back by paying the receipts.',
    security: signedInSecurity,
    parameters: ofRound,
    requestBody: { required: true, content: jsonOf(VoidBody) },
    responses: answersOf(VoidedRound, [
      ...adminRefusals,
      ...bodyRefusals,
      'NOT_FOUND',
      'ROUND_DECIDED',
      'JOURNAL_UNAVAILABLE',
      'POSTGRES_UNAVAILABLE',
    ]),
  },
  tracks: {
    tags: ['control'],
    summary: 'The tracks, and which of them are paused',
    security: signedInSecurity,
    responses: answersOf(v.object({ tracks: v.array(Track) }), [...adminRefusals, 'JOURNAL_UNAVAILABLE']),
  },
  pause: {
    tags: ['control'],
    summary: 'Let a track open no round after the current one',
    description: 'The current round goes on to its end. The pause survives a restart.',
    security: signedInSecurity,
    parameters: ofTrack,
    responses: pausing,
  },
  resume: {
    tags: ['control'],
    summary: 'Let a paused track open rounds again',
    security: signedInSecurity,
    parameters: ofTrack,
    responses: pausing,
  },
} satisfies Record<string, DescribeRouteOptions>
