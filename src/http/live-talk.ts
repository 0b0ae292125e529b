import * as v from 'valibot'
import { type Asked, askedBy, obey } from './live-command.ts'
import type { LiveHub, LiveTopic } from './live-hub.ts'
import type { LiveSocket, Wish } from './live-socket.ts'

// What clients say and what they are answered. docs/websocket.md tells it to those who write clients.
//   T1. Nothing that a client says throws, and what was not checked is in no answer; of a command its `id` is repeated.
//   T2. A socket signs in once; later tokens may only renew what it has.

const name = v.pipe(v.string(), v.maxLength(100))
const offset = v.pipe(v.number(), v.safeInteger(), v.minValue(0))

const Said = v.variant('type', [
  v.object({ type: v.literal('auth'), token: v.pipe(v.string(), v.nonEmpty()) }),
  v.object({
    type: v.literal('subscribe'),
    topic: name,
    track: v.optional(name),
    epoch: v.optional(name),
    offset: v.optional(offset),
  }),
  v.object({ type: v.literal('unsubscribe'), topic: name, track: v.optional(name) }),
  v.object({ type: v.literal('ping') }),
])

type Talk = v.InferOutput<typeof Said>

const complaints = {
  BAD_MESSAGE: 'this is not a message as docs/websocket.md describes them',
  UNKNOWN_TOPIC: 'there is no such topic; the welcome message names all',
  UNKNOWN_TRACK: 'there is no such track; the welcome message names all',
  AUTH_REQUIRED: 'this topic is for staff: sign in first',
  TOKEN_INVALID: 'the token is forged, has run out or was revoked: sign in again',
  ALREADY_SIGNED_IN: 'somebody else is signed in on this socket: open another one',
  TOO_MANY_SUBSCRIPTIONS: 'this socket follows as many streams as one may: unsubscribe from some',
  TOO_MANY_SOCKETS: 'this user has as many sockets as one may: close others first',
  INTERNAL: 'this could not be done at present: ask again in a moment',
} as const
type Complaint = keyof typeof complaints

const complain = (hub: LiveHub, socket: LiveSocket, code: Complaint, about: object = {}): void =>
  socket.reply({
    event: 'error',
    code,
    message: complaints[code],
    ...about,
    epoch: hub.epoch,
    serverTime: hub.now(),
  })

const publicUser = (socket: LiveSocket) => {
  const { session } = socket
  return session ? { id: session.userId, name: session.name, role: session.role } : null
}

/** Greets a new socket and subscribes it to what its address asks for: see `wishesOf`. */
export const greet = (hub: LiveHub, socket: LiveSocket, query: URLSearchParams): void => {
  const { epoch, topics, tracks } = hub
  const user = publicUser(socket)
  socket.reply({ event: 'welcome', epoch, serverTime: hub.now(), topics, tracks, user })
  const wishes = wishesOf(hub, query)
  const later = wishes.filter(({ topic }) => hub.topic(topic)?.staffOnly)
  if (later.length > 0) socket.wishes = later
  const isAsked = query.has('topics')
  hub.betweenTurns(() => {
    for (const wish of wishes) {
      const needsSession = !socket.session && hub.topic(wish.topic)?.staffOnly
      if (isAsked || !needsSession) subscribe(hub, socket, wish)
    }
  })
}

/** `?topics=race,receipts&track=main&epoch=E&race=12&receipts=7`: all topics of the default track where nothing is said. */
const wishesOf = (hub: LiveHub, query: URLSearchParams): Wish[] => {
  const asked = query.get('topics')
  const topics = asked === null ? hub.topics : asked.split(',').filter((topic) => topic !== '')
  const track = query.get('track') ?? hub.tracks[0]!
  const epoch = query.get('epoch') ?? undefined
  return [...new Set(topics)].slice(0, hub.limits.subscriptionsPerSocket).map((topic) => {
    const heard = v.safeParse(offset, Number(query.get(topic) || Number.NaN))
    return { topic, track, epoch, offset: heard.success ? heard.output : undefined }
  })
}

/** Takes what a client said. */
export const listen = (hub: LiveHub, socket: LiveSocket, data: unknown): void => {
  if (!socket.isHeard) return
  const said = objectIn(data)
  const asked = said && askedBy(hub, said)
  // Commands of somebody who is signed in are counted as requests of that user; all else is counted here.
  if (asked && socket.session && !socket.signingIn) return obey(hub, socket, asked)
  if (!socket.mayTalk()) return
  if (asked) return inTurn(hub, socket, asked, obey)
  const talk = v.safeParse(Said, said)
  if (!talk.success) return misguided(hub, socket, 'BAD_MESSAGE')
  inTurn(hub, socket, talk.output, answer)
}

/** Answers now, or when the sign-in under way is through. */
const inTurn = <S extends Asked | Talk>(
  hub: LiveHub,
  socket: LiveSocket,
  said: S,
  answer: (hub: LiveHub, socket: LiveSocket, said: S) => void,
): void => {
  if (!socket.signingIn) return answer(hub, socket, said)
  socket.signingIn
    .then(() => socket.isHeard && inTurn(hub, socket, said, answer))
    .catch((fault: unknown) => failed(hub, socket, fault))
}

const answer = (hub: LiveHub, socket: LiveSocket, said: Talk): void => {
  switch (said.type) {
    case 'ping':
      return socket.reply({ event: 'pong', epoch: hub.epoch, serverTime: hub.now() })
    case 'auth':
      socket.signingIn = signIn(hub, socket, said.token)
        .catch((fault) => failed(hub, socket, fault))
        .finally(() => {
          socket.signingIn = undefined
        })
      return
    case 'subscribe':
      return hub.betweenTurns(() => subscribe(hub, socket, { ...said, track: said.track ?? hub.tracks[0]! }))
    case 'unsubscribe':
      return hub.betweenTurns(() => unsubscribe(hub, socket, said.topic, said.track ?? hub.tracks[0]!))
  }
}

const failed = (hub: LiveHub, socket: LiveSocket, fault: unknown): void => {
  hub.onFault(fault)
  complain(hub, socket, 'INTERNAL')
}

const objectIn = (data: unknown): object | undefined => {
  if (typeof data !== 'string') return undefined
  try {
    const said: unknown = JSON.parse(data)
    return typeof said === 'object' && said !== null ? said : undefined
  } catch {
    return undefined
  }
}

const subscribe = (hub: LiveHub, socket: LiveSocket, wish: Wish): void => {
  if (!socket.isOpen) return
  const topic = hub.topic(wish.topic)
  if (!topic) return misguided(hub, socket, 'UNKNOWN_TOPIC')
  if (!hub.tracks.includes(wish.track)) return misguided(hub, socket, 'UNKNOWN_TRACK')
  const about = { topic: wish.topic, track: wish.track }
  if (socket.session && !hub.holds(socket.session)) return socket.close('signedOut')
  if (topic.staffOnly && !socket.session) return complain(hub, socket, 'AUTH_REQUIRED', about)
  try {
    const stream = topic.streamFor(wish.track, socket.session)
    if (!hub.follow(socket, stream, wish)) complain(hub, socket, 'TOO_MANY_SUBSCRIPTIONS', about)
  } catch (fault) {
    failed(hub, socket, fault)
  }
}

const unsubscribe = (hub: LiveHub, socket: LiveSocket, topic: string, track: string): void => {
  if (!hub.topic(topic)) return misguided(hub, socket, 'UNKNOWN_TOPIC')
  if (!hub.tracks.includes(track)) return misguided(hub, socket, 'UNKNOWN_TRACK')
  hub.unfollow(socket, topic, track)
  socket.reply({ event: 'unsubscribed', topic, track, epoch: hub.epoch, serverTime: hub.now() })
}

const misguided = (hub: LiveHub, socket: LiveSocket, code: Complaint): void => {
  complain(hub, socket, code)
  socket.misunderstood()
}

const signIn = async (hub: LiveHub, socket: LiveSocket, token: string): Promise<void> => {
  const session = await hub.sessionOf(token)
  if (!session) {
    complain(hub, socket, 'TOKEN_INVALID')
    return socket.close('signedOut')
  }
  const { session: before } = socket
  if (before && (before.userId !== session.userId || before.role !== session.role))
    return complain(hub, socket, 'ALREADY_SIGNED_IN')
  if (!hub.signIn(socket, session)) {
    complain(hub, socket, 'TOO_MANY_SOCKETS')
    return socket.close('full')
  }
  const user = publicUser(socket)
  const { expiresAt } = session
  socket.reply({ event: 'signed_in', user, expiresAt, epoch: hub.epoch, serverTime: hub.now() })
  if (before) return
  hub.betweenTurns(() => {
    for (const wish of socket.wishes) if (isDue(hub.topic(wish.topic), socket)) subscribe(hub, socket, wish)
  })
}

/** Whether a wish had to wait for the session. */
const isDue = (topic: LiveTopic | undefined, socket: LiveSocket): boolean =>
  topic?.staffOnly === true &&
  ![...(socket.audience?.streams ?? [])].some((stream) => stream.topic === topic.name)
