import type { AccountRefusal, Role, User } from '../../domain/accounts/user.ts'

/** A user with what proves that it is them. */
export type Account = User & { readonly passwordHash: string }

export type NewAccount = { readonly name: string; readonly role: Role; readonly passwordHash: string }

/**
 * All users and all tokens that were given back, known without waiting.
 * Changes of users need Postgres and throw `Unavailable` while it is away; giving a token back does not.
 */
export interface UserDirectory {
  /** Whether the users are known at all: false after a start without Postgres and without the local file. */
  readonly ready: boolean
  all(): User[]
  byId(id: number): Account | undefined
  byName(name: string): Account | undefined
  isRevoked(tokenId: string): boolean
  /** Reads everything again from Postgres. @throws Unavailable while it is away */
  refresh(): Promise<void>
  /** @param by the id of the admin who does it, or `null` for the server itself */
  create(account: NewAccount, by: number | null): Promise<User | AccountRefusal>
  /** Creates these where there are no users yet, all or none. @returns those it created */
  createFirst(accounts: readonly NewAccount[]): Promise<User[]>
  setDisabled(id: number, disabled: boolean, by: number): Promise<User | AccountRefusal>
  setPassword(id: number, passwordHash: string): Promise<User | AccountRefusal>
  /** @param expiresAt when the token runs out by itself, in milliseconds since 1970 */
  revoke(tokenId: string, expiresAt: number): Promise<void>
}
