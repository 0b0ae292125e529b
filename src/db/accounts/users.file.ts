import { readFile } from 'node:fs/promises'
import * as v from 'valibot'
import type { Account } from '../../actors/accounts/users.port.ts'
import { roleSchema } from '../../domain/accounts/user.ts'
import { writePrivateFile } from './private.file.ts'

/** A token that was given back. `stored`: Postgres knows it. */
export type Revocation = { readonly tokenId: string; readonly expiresAt: number; readonly stored: boolean }

/** What a server remembers of the accounts without Postgres: password hashes, never passwords. */
export type Remembered = {
  readonly accounts: readonly Account[]
  readonly revocations: readonly Revocation[]
}

const integer = v.pipe(v.number(), v.safeInteger())
const schema = v.object({
  version: v.literal(1),
  accounts: v.array(
    v.object({
      id: integer,
      name: v.string(),
      role: roleSchema,
      disabled: v.boolean(),
      tokenVersion: integer,
      passwordHash: v.string(),
    }),
  ),
  revocations: v.array(v.object({ tokenId: v.string(), expiresAt: integer, stored: v.boolean() })),
})

/** What the file says, or nothing where there is none. @throws where it is damaged */
export const readRemembered = async (path: string): Promise<Remembered | undefined> => {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), text)
  if (!parsed.success) throw new Error(`${path} is not a list of accounts as this server writes it`)
  return parsed.output
}

/**
 * Keeps the file as what `remembered` says. Whoever asks waits until what was true when they asked is on disk;
 * those who ask during one write share the next.
 */
export class UsersFile {
  readonly #path: string
  readonly #remembered: () => Remembered
  #written: string | undefined
  #current: Promise<void> = Promise.resolve()
  #next: Promise<void> | undefined

  constructor(path: string, remembered: () => Remembered) {
    this.#path = path
    this.#remembered = remembered
  }

  save(): Promise<void> {
    this.#next ??= this.#afterCurrent()
    return this.#next
  }

  async #afterCurrent(): Promise<void> {
    // Whoever asked for that write hears of its failure; this one writes everything again.
    await this.#current.catch(() => {})
    this.#next = undefined
    this.#current = this.#write()
    return this.#current
  }

  async #write(): Promise<void> {
    const text = `${JSON.stringify({ version: 1, ...this.#remembered() })}\n`
    if (text === this.#written) return
    this.#written = undefined
    await writePrivateFile(this.#path, text)
    this.#written = text
  }
}
