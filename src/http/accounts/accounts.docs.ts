import type { DescribeRouteOptions } from 'hono-openapi'
import * as v from 'valibot'
import { nameSchema, passwordSchema, roleSchema } from '../../domain/accounts/user.ts'
import {
  adminRefusals,
  answersOf,
  bodyRefusals,
  jsonOf,
  signedInRefusals,
  signedInSecurity,
} from '../answer.schema.ts'

const typedName = v.pipe(v.string(), v.minLength(1), v.maxLength(100))
const typedPassword = v.pipe(v.string(), v.minLength(1), v.maxLength(200))

export const loginBody = v.pipe(
  v.object({
    name: v.optional(typedName),
    username: v.optional(typedName),
    password: typedPassword,
  }),
  v.check((body) => (body.name ?? body.username) !== undefined, 'Say who signs in, as name or as username'),
  v.metadata({ ref: 'Login' }),
)
export const newUserBody = v.pipe(
  v.object({ name: nameSchema, password: passwordSchema, role: roleSchema }),
  v.metadata({ ref: 'NewUser' }),
)
export const newPasswordBody = v.pipe(
  v.object({ password: passwordSchema }),
  v.metadata({ ref: 'NewPassword' }),
)
export const userParameters = v.object({
  id: v.pipe(
    v.string(),
    v.regex(/^[1-9]\d{0,14}$/, 'The id of an account is a number'),
    v.transform((id) => Number(id)),
  ),
})

const personSchema = v.pipe(
  v.object({ id: v.number(), name: v.string(), role: roleSchema }),
  v.metadata({ ref: 'Person' }),
)
const userSchema = v.pipe(
  v.object({ id: v.number(), name: v.string(), role: roleSchema, disabled: v.boolean() }),
  v.metadata({ ref: 'User' }),
)
const expiresAt = v.pipe(v.number(), v.description('Milliseconds since 1970'))
const userId: NonNullable<DescribeRouteOptions['parameters']> = [
  { name: 'id', in: 'path', required: true, schema: { type: 'integer', minimum: 1 } },
]
const body = (schema: v.GenericSchema<unknown, unknown>) => ({ required: true, content: jsonOf(schema) })

const ofAdmins = { tags: ['users'], security: signedInSecurity }
const ofOneUser = { ...ofAdmins, parameters: userId }
const changeRefusals = [...adminRefusals, 'BAD_REQUEST', 'USER_UNKNOWN', 'POSTGRES_UNAVAILABLE'] as const

/** The routes as OpenAPI shows them. */
export const docs = {
  login: {
    tags: ['auth'],
    summary: 'Sign in',
    description: 'The token comes in the answer, for Authorization: Bearer, and as an httpOnly cookie.',
    requestBody: body(loginBody),
    responses: answersOf(v.object({ token: v.string(), expiresAt, user: personSchema }), [
      ...bodyRefusals,
      'WRONG_PASSWORD',
      'TOO_MANY_REQUESTS',
      'POSTGRES_UNAVAILABLE',
    ]),
  },
  logout: {
    tags: ['auth'],
    summary: 'Sign out',
    description: 'The token is worth nothing from now on.',
    security: signedInSecurity,
    responses: answersOf(v.null(), [...signedInRefusals, 'POSTGRES_UNAVAILABLE']),
  },
  me: {
    tags: ['auth'],
    summary: 'Who is signed in',
    security: signedInSecurity,
    responses: answersOf(v.object({ expiresAt, user: personSchema }), signedInRefusals),
  },
  list: {
    ...ofAdmins,
    summary: 'All accounts',
    responses: answersOf(v.array(userSchema), adminRefusals),
  },
  create: {
    ...ofAdmins,
    summary: 'Create an account',
    requestBody: body(newUserBody),
    responses: answersOf(
      userSchema,
      [...adminRefusals, ...bodyRefusals, 'NAME_TAKEN', 'POSTGRES_UNAVAILABLE'],
      201,
    ),
  },
  disable: {
    ...ofOneUser,
    summary: 'Disable an account',
    description: 'Its sessions end. The last enabled admin cannot be disabled.',
    responses: answersOf(userSchema, [...changeRefusals, 'LAST_ADMIN']),
  },
  enable: {
    ...ofOneUser,
    summary: 'Enable an account again',
    responses: answersOf(userSchema, changeRefusals),
  },
  password: {
    ...ofOneUser,
    summary: 'Give an account a new password',
    description: 'Its sessions end, one of your own included.',
    requestBody: body(newPasswordBody),
    responses: answersOf(userSchema, [...new Set([...changeRefusals, ...bodyRefusals])]),
  },
} satisfies Record<string, DescribeRouteOptions>
