import type { Context } from 'hono'
import * as v from 'valibot'
import { refusal } from './answer.ts'

/** No route needs more. */
export const maxBodyBytes = 64 * 1024
const maxIssues = 20

type AnySchema = v.GenericSchema<unknown, unknown>

/**
 * The body of a request, read once and checked; or the refusal to answer with:
 * `const body = await readBody(c, schema); if (body instanceof Response) return body`.
 * A request without any body passes where the schema takes `undefined`.
 */
export const readBody = <S extends AnySchema>(c: Context, schema: S): Promise<v.InferOutput<S> | Response> =>
  bodyText(c).then(
    (text) => bodyOf(c, schema, text),
    // The connection broke, or someone read the body before: either way there is none.
    () => refusal(c, 'BAD_REQUEST', 'The body of the request did not arrive whole.'),
  )

const bodyOf = <S extends AnySchema>(
  c: Context,
  schema: S,
  text: string | typeof TOO_LARGE,
): v.InferOutput<S> | Response => {
  if (text === TOO_LARGE) return refusal(c, 'BODY_TOO_LARGE')
  if (text === '') {
    const absent = v.safeParse(schema, undefined)
    return absent.success ? absent.output : refusal(c, 'BAD_JSON', 'The request has no body; send JSON.')
  }
  if (!isJson(c.req.header('content-type'))) return refusal(c, 'UNSUPPORTED_MEDIA_TYPE')
  let input: unknown
  try {
    input = JSON.parse(text)
  } catch {
    // The parser's own message quotes the body.
    return refusal(c, 'BAD_JSON')
  }
  return checked(c, schema, input)
}

/** Checks what a request brought in its query or path; refuses as `readBody` does. */
export const checked = <S extends AnySchema>(
  c: Context,
  schema: S,
  input: unknown,
): v.InferOutput<S> | Response => {
  const result = v.safeParse(schema, input)
  return result.success ? result.output : refusal(c, 'BAD_REQUEST', undefined, issuesOf(result.issues))
}

export type Issue = { readonly path: string; readonly message: string }

/** Which places are wrong and what belongs there. Never what was there: it may be a password. */
export const issuesOf = (issues: readonly v.BaseIssue<unknown>[]): Issue[] =>
  issues.slice(0, maxIssues).map((issue) => ({ path: placeOf(issue), message: messageOf(issue) }))

const placeOf = (issue: v.BaseIssue<unknown>): string => (v.getDotPath(issue) ?? '').slice(0, 100)

// Valibot's own messages end with what was received; those that a schema gives are kept.
const messageOf = (issue: v.BaseIssue<unknown>): string => {
  if (!/^Invalid [^:]+: .*eceived /s.test(issue.message)) return issue.message
  return issue.expected === null ? 'Not as expected' : `Expected ${issue.expected}`
}

const TOO_LARGE = Symbol('too large')

/** The body as text. What says its length is refused unread where it is too long; what does not is read no further. */
const bodyText = (c: Context): Promise<string | typeof TOO_LARGE> => {
  const length = c.req.header('content-length')
  if (length === undefined) return streamedText(c)
  return Number(length) > maxBodyBytes ? Promise.resolve(TOO_LARGE) : c.req.raw.text()
}

const streamedText = async (c: Context): Promise<string | typeof TOO_LARGE> => {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of c.req.raw.body ?? []) {
    length += chunk.byteLength
    if (length > maxBodyBytes) return TOO_LARGE
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

const isJson = (type: string | undefined): boolean =>
  type !== undefined && (type === 'application/json' || /^application\/json\s*(;|$)/i.test(type))
