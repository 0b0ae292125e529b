import { randomUUID } from 'node:crypto'
import * as v from 'valibot'
import { Unavailable } from '../actors/unavailable.port.ts'
import { type Failure, failure, type Success } from './answer.ts'
import { issuesOf } from './body.ts'
import { codeOfAway } from './guard.ts'
import type { LiveHub } from './live-hub.ts'
import type { LiveSocket } from './live-socket.ts'
import { TooManyRequests } from './rate-limit.ts'
import type { Session } from './session.ts'

// Commands: what staff may ask for by a message, as others do by a request.
//   B1. Every command that may be read is answered once, under its `id`, in the envelope of HTTP: done, refused, or at fault.
//   B2. It is run only for a session that holds at that moment, and counts as a request of its user.
//   B3. So many of a socket are under way at once; another one is refused, and not run.

/** The envelope, or its JSON text. */
export type Answer = Success<unknown> | Failure | string

/** What clients may ask for by name. Modules make theirs by `liveCommand`. */
export type LiveCommand = {
  readonly name: string
  readonly ask: (said: unknown, session: Session) => Answer | Promise<Answer>
}

/**
 * A command of messages like `{ type: name, id, … }`. `schema` is of what it brings beside those two; `run` may throw
 * `Unavailable`.
 */
export const liveCommand = <S extends v.GenericSchema<unknown, unknown>>(
  name: string,
  schema: S,
  run: (asked: v.InferOutput<S>, session: Session) => Answer | Promise<Answer>,
): LiveCommand => ({
  name,
  ask: (said, session) => {
    const asked = v.safeParse(schema, said)
    return asked.success
      ? run(asked.output, session)
      : failure('BAD_REQUEST', undefined, issuesOf(asked.issues))
  },
})

/** A message that asks for a command. */
export type Asked = { readonly command: LiveCommand; readonly id: string; readonly said: object }

/** By it a client finds the answer. It may stand in JSON as it is. */
const CommandId = v.pipe(v.string(), v.regex(/^[\w.:-]{1,64}$/))

/** The command in a message, if it is one that can be answered. */
export const askedBy = (hub: LiveHub, said: object): Asked | undefined => {
  const { type, id } = said as { type?: unknown; id?: unknown }
  const command = typeof type === 'string' ? hub.command(type) : undefined
  return command && v.is(CommandId, id) ? { command, id, said } : undefined
}

/** Runs a command, or says why not. */
export const obey = (hub: LiveHub, socket: LiveSocket, { command, id, said }: Asked): void => {
  const { session } = socket
  if (!session) return tell(socket, id, failure('UNAUTHENTICATED'))
  if (!hub.holds(session)) {
    tell(socket, id, failure('UNAUTHENTICATED'))
    return socket.close('signedOut')
  }
  const waitSeconds = secondsToWait(hub, session)
  if (waitSeconds !== undefined) {
    // Who goes on asking is told so as often as one may talk, and then to go.
    if (socket.mayTalk()) tell(socket, id, tooOften(waitSeconds))
    return
  }
  if (!socket.mayBegin()) return tell(socket, id, failure('TOO_MANY_COMMANDS'))
  const end = (answer: Answer): void => {
    hub.countCommand()
    tell(socket, id, answer)
    socket.ended()
  }
  try {
    const answer = command.ask(said, session)
    if (answer instanceof Promise) answer.then(end, (fault: unknown) => end(atFault(hub, fault)))
    else end(answer)
  } catch (fault) {
    end(atFault(hub, fault))
  }
}

const tell = (socket: LiveSocket, id: string, answer: Answer): void => {
  const text = typeof answer === 'string' ? answer : JSON.stringify(answer)
  socket.answer(`{"event":"answer","id":"${id}",${text.slice(1)}`)
}

const secondsToWait = (hub: LiveHub, session: Session): number | undefined => {
  try {
    hub.countRequest(session)
    return undefined
  } catch (fault) {
    if (fault instanceof TooManyRequests) return fault.retryAfterSeconds
    throw fault
  }
}

const tooOften = (retryAfterSeconds: number): Failure =>
  failure('TOO_MANY_REQUESTS', undefined, { retryAfterSeconds })

const atFault = (hub: LiveHub, fault: unknown): Failure => {
  if (fault instanceof Unavailable) return failure(codeOfAway(fault))
  const id = randomUUID()
  hub.onFault(fault, id)
  return failure('INTERNAL', undefined, { id })
}
