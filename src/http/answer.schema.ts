// The envelope as OpenAPI shows it.
import { type DescribeRouteOptions, resolver } from 'hono-openapi'
import * as v from 'valibot'
import { type ErrorCode, errors } from './answer.ts'

type AnySchema = v.GenericSchema<unknown, unknown>
type Responses = NonNullable<DescribeRouteOptions['responses']>

export const failureSchema = v.pipe(
  v.object({
    success: v.literal(false),
    error: v.object({
      code: v.picklist(Object.keys(errors) as ErrorCode[]),
      message: v.string(),
      details: v.unknown(),
    }),
  }),
  v.metadata({ ref: 'Failure' }),
)

/** A body of JSON, as a request brings it or an answer shows it. */
export const jsonOf = (schema: AnySchema) => ({
  'application/json': { schema: resolver(schema, { options: { typeMode: 'input', errorMode: 'ignore' } }) },
})

/** The answers of a route: its data in the envelope, and the refusals it may give, gathered by status. */
export const answersOf = (data: AnySchema, codes: readonly ErrorCode[], status = 200): Responses => {
  return {
    [status]: { description: 'Done', content: jsonOf(v.object({ success: v.literal(true), data })) },
    ...refusalsOf(codes),
  }
}

/** The refusals of a route, gathered by status. */
export const refusalsOf = (codes: readonly ErrorCode[]): Responses => {
  const responses: Responses = {}
  for (const code of new Set<ErrorCode>([...codes, 'INTERNAL'])) {
    const { status, message } = errors[code]
    const line = `${code}: ${message}`
    const before = responses[status]
    const description = before && 'description' in before ? `${before.description}\n\n${line}` : line
    responses[status] = { description, content: jsonOf(failureSchema) }
  }
  return responses
}

/** What `signedIn` and `adminOnly` may refuse. */
export const signedInRefusals = [
  'UNAUTHENTICATED',
  'CROSS_SITE',
  'TOO_MANY_REQUESTS',
] as const satisfies ErrorCode[]
export const adminRefusals = [...signedInRefusals, 'FORBIDDEN'] as const satisfies ErrorCode[]
/** What `readBody` may refuse. */
export const bodyRefusals = [
  'BAD_JSON',
  'BAD_REQUEST',
  'UNSUPPORTED_MEDIA_TYPE',
  'BODY_TOO_LARGE',
] as const satisfies ErrorCode[]

/** For `describeRoute`; the document names these two under `components.securitySchemes`. */
export const signedInSecurity: NonNullable<DescribeRouteOptions['security']> = [
  { bearer: [] },
  { cookie: [] },
]
