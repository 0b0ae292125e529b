import { join } from 'node:path'
import type { Account, NewAccount, UserDirectory } from '../../actors/accounts/users.port.ts'
import type { Clock } from '../../actors/clock.port.ts'
import { Unavailable } from '../../actors/unavailable.port.ts'
import { type AccountRefusal, isLastAdmin, type User } from '../../domain/accounts/user.ts'
import { asking, type Sql } from '../postgres.ts'
import { type Remembered, type Revocation, readRemembered, UsersFile } from './users.file.ts'
import {
  accountWithNewPassword,
  allAccounts,
  deleteRevokedTokensBefore,
  disabledAccount,
  enabledAccount,
  insertedAccount,
  insertedFirstAccounts,
  insertRevokedTokens,
  lockedAdmins,
  revokedTokensAfter,
} from './users.queries.ts'

// All users and given-back tokens in memory: Postgres is the truth, a local file stands in while it is away.
//   A1. What this server changed is known to it at once; what others changed, within one refresh.
//   A2. A token that was given back stays so: on disk here before anyone hears of it, in Postgres as soon as it can.
//   A3. At every moment at least one admin is enabled, whoever disables whom on whichever server.
//   A4. Each change of a user that must end their sessions makes their token version grow.

const refreshEveryMs = 5_000
const pruneEveryMs = 10 * 60_000
/** How far the clocks of servers may differ: a token that ran out here may hold this much longer elsewhere. */
const clockSkewMs = 60 * 60_000
/**
 * How long anyone waits for a Postgres that takes the call and says nothing, as one that is frozen or behind a proxy
 * does: a start goes on with what the file says, a change is given up.
 */
const patienceMs = 5_000
const stopPatienceMs = 1_000

export type UsersDirectoryOptions = {
  readonly sql: Sql
  /** Where `users.json` is kept. */
  readonly directory: string
  readonly clock: Clock
  /** Hears what went wrong in the background, each trouble once while it lasts. */
  readonly onTrouble?: (message: string, error: unknown) => void
}

type Transaction = Parameters<Parameters<Sql['begin']>[1]>[0]

export class UsersDirectory implements UserDirectory {
  readonly #sql: Sql
  readonly #clock: Clock
  readonly #path: string
  readonly #onTrouble: (message: string, error: unknown) => void
  readonly #file: UsersFile
  #byId = new Map<number, Account>()
  #byName = new Map<string, Account>()
  #revocations = new Map<string, Revocation>()
  #ready = false
  /** Counts what was changed here, so that a refresh that was asked for before cannot undo it. */
  #changes = 0
  #refreshing: Promise<void> | undefined
  #flushing: Promise<void> | undefined
  #timer: unknown
  #isRunning = false
  #isTroubled = false
  #prunedAt = 0

  constructor({ sql, directory, clock, onTrouble }: UsersDirectoryOptions) {
    this.#sql = sql
    this.#clock = clock
    this.#path = join(directory, 'users.json')
    this.#onTrouble = onTrouble ?? (() => {})
    this.#file = new UsersFile(this.#path, () => this.#remembered())
  }

  get ready(): boolean {
    return this.#ready
  }

  all(): User[] {
    return [...this.#byId.values()].map(userOf)
  }

  byId(id: number): Account | undefined {
    return this.#byId.get(id)
  }

  byName(name: string): Account | undefined {
    return this.#byName.get(name)
  }

  isRevoked(tokenId: string): boolean {
    return this.#revocations.has(tokenId)
  }

  /** Knows the users when it returns, from Postgres or from the file; where neither has them, it is not `ready`. */
  async start(): Promise<void> {
    this.#isRunning = true
    await this.#recall()
    await this.#refreshQuietly()
    this.#arm()
  }

  async stop(): Promise<void> {
    this.#isRunning = false
    this.#clock.clearTimeout(this.#timer)
    // What does not reach Postgres now is in the file, and is handed over at the next start.
    const underWay = Promise.allSettled([this.#refreshing, this.#flushing])
    await this.#patiently(underWay, stopPatienceMs).catch(() => {})
    await this.#saveIfPossible()
  }

  /**
   * Reads everything again from Postgres, and hands it the tokens that were given back while it was away.
   * @throws Unavailable while it is away
   */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined
    })
    // One that is given up may still be under way: the next joins it, so that no queue grows.
    return this.#patiently(this.#refreshing)
  }

  async create(account: NewAccount, by: number | null): Promise<User | AccountRefusal> {
    const created = await this.#change((tx) => insertedAccount(tx, account, by))
    if (created === undefined) return { refused: 'NAME_TAKEN', details: { name: account.name } }
    return this.#changed(created)
  }

  async createFirst(accounts: readonly NewAccount[]): Promise<User[]> {
    const created = await this.#change((tx) => insertedFirstAccounts(tx, accounts))
    for (const account of created) this.#learn(account)
    this.#changes += 1
    // Where another server was first, its accounts are known here from now on. What was created stays created.
    await this.#refreshQuietly()
    return created.map(userOf)
  }

  async setDisabled(id: number, disabled: boolean, by: number): Promise<User | AccountRefusal> {
    const outcome = await this.#change(async (tx) => {
      if (!disabled) return enabledAccount(tx, id)
      if (isLastAdmin(id, await lockedAdmins(tx))) return 'LAST_ADMIN'
      return disabledAccount(tx, id, by)
    })
    if (outcome === undefined) return { refused: 'USER_UNKNOWN', details: { id } }
    if (outcome === 'LAST_ADMIN') return { refused: 'LAST_ADMIN', details: { id } }
    return this.#changed(outcome)
  }

  async setPassword(id: number, passwordHash: string): Promise<User | AccountRefusal> {
    const changed = await this.#change((tx) => accountWithNewPassword(tx, id, passwordHash))
    if (changed === undefined) return { refused: 'USER_UNKNOWN', details: { id } }
    return this.#changed(changed)
  }

  /** @throws where neither the disk nor Postgres can keep it; it holds in memory even then */
  async revoke(tokenId: string, expiresAt: number): Promise<void> {
    if (this.#revocations.has(tokenId)) return
    this.#revocations.set(tokenId, { tokenId, expiresAt, stored: false })
    const stored = this.#flush()
    stored.catch((error) => this.#trouble(error))
    try {
      await this.#file.save()
    } catch (error) {
      this.#onTrouble('a log-out could not be kept on disk', error)
      await this.#patiently(stored)
    }
  }

  /** Changes users in one transaction; one that was given up does nothing when its turn comes after all. */
  async #change<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    let isGivenUp = false
    const outcome = asking(() =>
      this.#sql.begin(async (tx) => {
        const result = isGivenUp ? undefined : await work(tx)
        if (isGivenUp) throw new Error('nobody waits for this change any more')
        return { result: result as T }
      }),
    )
    try {
      return (await this.#patiently(outcome)).result
    } finally {
      isGivenUp = true
    }
  }

  async #changed(account: Account): Promise<User> {
    const known = this.#byId.get(account.id)
    // Two changes of one user may be heard of in the wrong order.
    if (known === undefined || known.tokenVersion <= account.tokenVersion) this.#learn(account)
    this.#changes += 1
    await this.#saveIfPossible()
    return userOf(account)
  }

  #learn(account: Account): void {
    this.#byId.set(account.id, account)
    this.#byName.set(account.name, account)
  }

  async #refresh(): Promise<void> {
    await this.#flush()
    let changes: number
    let accounts: Account[]
    do {
      changes = this.#changes
      accounts = await asking(() => allAccounts(this.#sql))
    } while (changes !== this.#changes)
    this.#replaceAccounts(accounts)
    const revoked = await asking(() => revokedTokensAfter(this.#sql, this.#oldestUseful()))
    this.#addRevocations(revoked.map((token) => ({ ...token, stored: true })))
    this.#ready = true
    this.#isTroubled = false
    await this.#saveIfPossible()
    await this.#prune()
  }

  #replaceAccounts(accounts: readonly Account[]): void {
    this.#byId = new Map()
    this.#byName = new Map()
    for (const account of accounts) this.#learn(account)
  }

  // Nothing takes a revocation back: it goes only when its token is worth nothing anywhere.
  #addRevocations(added: readonly Revocation[]): void {
    for (const revocation of added) this.#revocations.set(revocation.tokenId, revocation)
    const since = this.#oldestUseful()
    for (const { tokenId, expiresAt } of this.#revocations.values()) {
      if (expiresAt <= since) this.#revocations.delete(tokenId)
    }
  }

  #oldestUseful(): number {
    return this.#clock.now() - clockSkewMs
  }

  #waiting(): Revocation[] {
    return [...this.#revocations.values()].filter((revocation) => !revocation.stored)
  }

  /** Hands the tokens to Postgres that it does not know. */
  #flush(): Promise<void> {
    // What came while one was under way leaves with the next.
    const previous = this.#flushing ?? Promise.resolve()
    const flushing = previous
      .catch(() => {})
      .then(async () => {
        const waiting = this.#waiting()
        if (waiting.length === 0) return
        await asking(() => insertRevokedTokens(this.#sql, waiting))
        for (const revocation of waiting) {
          this.#revocations.set(revocation.tokenId, { ...revocation, stored: true })
        }
      })
      .finally(() => {
        if (this.#flushing === flushing) this.#flushing = undefined
      })
    this.#flushing = flushing
    return flushing
  }

  async #prune(): Promise<void> {
    const now = this.#clock.now()
    if (now - this.#prunedAt < pruneEveryMs) return
    this.#prunedAt = now
    await asking(() => deleteRevokedTokensBefore(this.#sql, this.#oldestUseful()))
  }

  // The file only stands in for Postgres, which has these already: a full disk must not undo what was done.
  async #saveIfPossible(): Promise<void> {
    try {
      await this.#file.save()
    } catch (error) {
      this.#onTrouble(`${this.#path} could not be written`, error)
    }
  }

  async #recall(): Promise<void> {
    let remembered: Remembered | undefined
    try {
      remembered = await readRemembered(this.#path)
    } catch (error) {
      this.#onTrouble('the accounts kept on disk cannot be read; they are read from Postgres', error)
    }
    if (remembered === undefined) return
    this.#replaceAccounts(remembered.accounts)
    this.#addRevocations(remembered.revocations)
    this.#ready = remembered.accounts.length > 0
  }

  #remembered(): Remembered {
    return { accounts: [...this.#byId.values()], revocations: [...this.#revocations.values()] }
  }

  /** @throws Unavailable where it takes too long; the work may go on */
  async #patiently<T>(work: Promise<T>, limitMs = patienceMs): Promise<T> {
    let timer: unknown
    const limit = new Promise<never>((_, reject) => {
      const say = `Postgres did not answer within ${limitMs} ms; nothing is known to have changed`
      timer = this.#clock.setTimeout(() => reject(new Unavailable('postgres', say)), limitMs)
    })
    try {
      return await Promise.race([work, limit])
    } finally {
      this.#clock.clearTimeout(timer)
    }
  }

  async #refreshQuietly(): Promise<void> {
    try {
      await this.refresh()
    } catch (error) {
      this.#trouble(error)
    }
  }

  #arm(): void {
    if (!this.#isRunning) return
    this.#timer = this.#clock.setTimeout(async () => {
      await this.#refreshQuietly()
      this.#arm()
    }, refreshEveryMs)
  }

  #trouble(error: unknown): void {
    if (this.#isTroubled) return
    this.#isTroubled = true
    this.#onTrouble('the accounts cannot be read from Postgres at present', error)
  }
}

const userOf = ({ id, name, role, disabled, tokenVersion }: Account): User => ({
  id,
  name,
  role,
  disabled,
  tokenVersion,
})
