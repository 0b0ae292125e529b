import { randomInt } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { UserDirectory } from '../../actors/accounts/users.port.ts'
import type { Role } from '../../domain/accounts/user.ts'
import { writePrivateFile } from './private.file.ts'

// The accounts of a shop that has none: `admin` and `caisse`.
//   P1. A password that was made here can be read in the file before its account exists, so no crash locks the shop out.
//   P2. A password that was given stays where it came from: the file names only those that were made here.

export type FirstAccount = {
  readonly name: string
  readonly role: Role
  /** The password where it was made here and must be shown once, `undefined` where it was given. */
  readonly generatedPassword: string | undefined
}

export type FirstAccountsOptions = {
  readonly directory: UserDirectory
  readonly hash: (password: string) => Promise<string>
  readonly dataDirectory: string
  readonly adminPassword?: string | undefined
  readonly cashierPassword?: string | undefined
}

/**
 * Creates the first accounts where there are no users, and returns those that it created, for printing.
 * @throws Unavailable while Postgres is away
 */
export const createFirstAccounts = async ({
  directory,
  hash,
  dataDirectory,
  adminPassword,
  cashierPassword,
}: FirstAccountsOptions): Promise<FirstAccount[]> => {
  await directory.refresh()
  if (directory.all().length > 0) return []
  const planned = [
    { name: 'admin', role: 'admin' as const, given: adminPassword },
    { name: 'caisse', role: 'cashier' as const, given: cashierPassword },
  ].map((account) => ({ ...account, password: account.given ?? readablePassword() }))
  const generated = planned.filter((account) => account.given === undefined)

  const path = join(dataDirectory, 'first-passwords.txt')
  if (generated.length > 0) await writePrivateFile(path, fileText(generated))
  const accounts = await Promise.all(
    planned.map(async ({ name, role, password }) => ({ name, role, passwordHash: await hash(password) })),
  )
  const created = new Set((await directory.createFirst(accounts)).map((user) => user.name))
  // Another server was faster: its passwords count, not these.
  if (created.size === 0) await rm(path, { force: true })
  return planned
    .filter((account) => created.has(account.name))
    .map(({ name, role, given, password }) => ({
      name,
      role,
      generatedPassword: given === undefined ? password : undefined,
    }))
}

const fileText = (accounts: readonly { name: string; password: string }[]): string =>
  [
    'Passwords of the first accounts, made when this server first started.',
    'Give each person a password of their own, then delete this file.',
    '',
    ...accounts.map(({ name, password }) => `${name} ${password}`),
    '',
  ].join('\n')

/** Without those that are read for one another: 0 o, 1 l i, 2 z, 5 s, u v. */
const alphabet = 'abcdefghjkmnpqrtwxy346789'

/** Four groups of four: 16 letters of 25, 74 bits. */
export const readablePassword = (): string =>
  Array.from({ length: 4 }, () =>
    Array.from({ length: 4 }, () => alphabet[randomInt(alphabet.length)]).join(''),
  ).join('-')
