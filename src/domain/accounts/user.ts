import * as v from 'valibot'

export const roles = ['admin', 'cashier'] as const
export type Role = (typeof roles)[number]

export type User = {
  readonly id: number
  /** Lower case, unique. */
  readonly name: string
  readonly role: Role
  readonly disabled: boolean
  /** Grows with every change that must end the sessions opened before it. */
  readonly tokenVersion: number
}

/** What a user types as a name, as it is kept and compared. */
export const plainName = (typed: string): string => typed.trim().toLowerCase()

export const nameSchema = v.pipe(
  v.string(),
  v.transform(plainName),
  v.regex(/^[a-z0-9._-]{1,40}$/, 'A name has 1 to 40 letters (a-z), digits, dots, underscores and hyphens'),
)
export const passwordSchema = v.pipe(
  v.string(),
  v.minLength(8, 'A password has at least 8 characters'),
  v.maxLength(200, 'A password has at most 200 characters'),
)
export const roleSchema = v.picklist(roles)

export type AccountRefusal =
  | { readonly refused: 'NAME_TAKEN'; readonly details: { readonly name: string } }
  | { readonly refused: 'USER_UNKNOWN'; readonly details: { readonly id: number } }
  | { readonly refused: 'LAST_ADMIN'; readonly details: { readonly id: number } }

export const isAccountRefusal = (answer: User | AccountRefusal): answer is AccountRefusal =>
  'refused' in answer

/** Whether nobody could administer the shop any more once this user is disabled. */
export const isLastAdmin = (id: number, admins: readonly Pick<User, 'id' | 'disabled'>[]): boolean => {
  const enabled = admins.filter((admin) => !admin.disabled)
  return enabled.length === 1 && enabled[0]!.id === id
}
