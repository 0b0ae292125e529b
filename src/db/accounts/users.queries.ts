import type postgres from 'postgres'
import type { Account, NewAccount } from '../../actors/accounts/users.port.ts'
import type { Role, User } from '../../domain/accounts/user.ts'
import type { Sql } from '../postgres.ts'

/** The pool, or one transaction. */
type Asker = Sql | postgres.TransactionSql<{ bigint: number }>

type UserRow = {
  userId: number
  name: string
  role: Role
  disabled: boolean
  tokenVersion: number
  passwordHash: string
}

export type RevokedToken = { readonly tokenId: string; readonly expiresAt: number }

const accountOf = ({ userId, ...row }: UserRow): Account => ({ id: userId, ...row })

export const allAccounts = async (sql: Asker): Promise<Account[]> => {
  const rows = await sql<UserRow[]>`
    select user_id as "userId", name, role, disabled_at is not null as disabled,
      token_version as "tokenVersion", password_hash as "passwordHash"
    from users
    order by user_id`
  return rows.map(accountOf)
}

/** The new account, or nothing where the name is taken. */
export const insertedAccount = async (
  sql: Asker,
  { name, role, passwordHash }: NewAccount,
  by: number | null,
): Promise<Account | undefined> => {
  const [row] = await sql<UserRow[]>`
    insert into users (name, role, password_hash, created_by)
    values (${name}, ${role}, ${passwordHash}, ${by})
    on conflict (name) do nothing
    returning user_id as "userId", name, role, disabled_at is not null as disabled,
      token_version as "tokenVersion", password_hash as "passwordHash"`
  return row && accountOf(row)
}

/**
 * The first accounts of a database, or nothing where it has any. Of servers that ask at once the later ones wait for
 * the first on its first name, and then find every name taken.
 */
export const insertedFirstAccounts = async (
  sql: Asker,
  accounts: readonly NewAccount[],
): Promise<Account[]> => {
  const rows = await sql<UserRow[]>`
    insert into users (name, role, password_hash)
    select first.name, first.role, first.password_hash
    from unnest(
      ${accounts.map((account) => account.name)}::text[],
      ${accounts.map((account) => account.role)}::text[],
      ${accounts.map((account) => account.passwordHash)}::text[]
    ) with ordinality as first (name, role, password_hash, place)
    where not exists (select from users)
    order by first.place
    on conflict (name) do nothing
    returning user_id as "userId", name, role, disabled_at is not null as disabled,
      token_version as "tokenVersion", password_hash as "passwordHash"`
  return rows.map(accountOf)
}

/** Every admin, locked until the transaction ends: whoever disables one meanwhile waits, and then sees it. */
export const lockedAdmins = (tx: Asker): Promise<Pick<User, 'id' | 'disabled'>[]> =>
  tx<Pick<User, 'id' | 'disabled'>[]>`
    select user_id as id, disabled_at is not null as disabled
    from users
    where role = 'admin'
    order by user_id
    for no key update`

/** The account as it is now; one that was disabled already stays as it was. */
export const disabledAccount = async (sql: Asker, id: number, by: number): Promise<Account | undefined> => {
  const [row] = await sql<UserRow[]>`
    update users
    set token_version = token_version + case when disabled_at is null then 1 else 0 end,
      disabled_by = case when disabled_at is null then ${by} else disabled_by end,
      disabled_at = coalesce(disabled_at, now())
    where user_id = ${id}
    returning user_id as "userId", name, role, disabled_at is not null as disabled,
      token_version as "tokenVersion", password_hash as "passwordHash"`
  return row && accountOf(row)
}

export const enabledAccount = async (sql: Asker, id: number): Promise<Account | undefined> => {
  const [row] = await sql<UserRow[]>`
    update users
    set token_version = token_version + case when disabled_at is null then 0 else 1 end,
      disabled_by = null,
      disabled_at = null
    where user_id = ${id}
    returning user_id as "userId", name, role, disabled_at is not null as disabled,
      token_version as "tokenVersion", password_hash as "passwordHash"`
  return row && accountOf(row)
}

export const accountWithNewPassword = async (
  sql: Asker,
  id: number,
  passwordHash: string,
): Promise<Account | undefined> => {
  const [row] = await sql<UserRow[]>`
    update users
    set token_version = token_version + 1, password_hash = ${passwordHash}
    where user_id = ${id}
    returning user_id as "userId", name, role, disabled_at is not null as disabled,
      token_version as "tokenVersion", password_hash as "passwordHash"`
  return row && accountOf(row)
}

export const insertRevokedTokens = async (sql: Asker, tokens: readonly RevokedToken[]): Promise<void> => {
  await sql`
    insert into revoked_tokens (token_id, expires_at)
    select revoked.token_id, revoked.expires_at
    from unnest(
      ${tokens.map((token) => token.tokenId)}::text[],
      ${tokens.map((token) => new Date(token.expiresAt).toISOString())}::timestamptz[]
    ) as revoked (token_id, expires_at)
    on conflict (token_id) do nothing`
}

/** Tokens given back that would be good for anything after this time (milliseconds since 1970). */
export const revokedTokensAfter = (sql: Asker, time: number): Promise<RevokedToken[]> =>
  sql<RevokedToken[]>`
    select token_id as "tokenId", (extract(epoch from expires_at) * 1000)::bigint as "expiresAt"
    from revoked_tokens
    where expires_at > ${new Date(time)}`

export const deleteRevokedTokensBefore = async (sql: Asker, time: number): Promise<void> => {
  await sql`
    delete from revoked_tokens
    where expires_at <= ${new Date(time)}`
}
