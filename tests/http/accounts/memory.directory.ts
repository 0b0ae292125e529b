import type { Account, NewAccount, UserDirectory } from '../../../src/actors/accounts/users.port.ts'
import { type AccountRefusal, isLastAdmin, type User } from '../../../src/domain/accounts/user.ts'

/** A directory that keeps nothing, for tests of what stands in front of it. */
export class MemoryDirectory implements UserDirectory {
  ready = true
  readonly accounts = new Map<number, Account>()
  readonly revoked = new Set<string>()

  all = (): User[] => [...this.accounts.values()]
  byId = (id: number) => this.accounts.get(id)
  byName = (name: string) => [...this.accounts.values()].find((account) => account.name === name)
  isRevoked = (tokenId: string) => this.revoked.has(tokenId)
  refresh = async () => {}

  async create(account: NewAccount): Promise<User | AccountRefusal> {
    if (this.byName(account.name)) return { refused: 'NAME_TAKEN', details: { name: account.name } }
    return this.add(account)
  }

  async createFirst(accounts: readonly NewAccount[]): Promise<User[]> {
    return this.accounts.size > 0 ? [] : accounts.map((account) => this.add(account))
  }

  async setDisabled(id: number, disabled: boolean): Promise<User | AccountRefusal> {
    const admins = this.all().filter((user) => user.role === 'admin')
    if (disabled && isLastAdmin(id, admins)) return { refused: 'LAST_ADMIN', details: { id } }
    return this.change(id, { disabled })
  }

  async setPassword(id: number, passwordHash: string): Promise<User | AccountRefusal> {
    return this.change(id, { passwordHash })
  }

  async revoke(tokenId: string): Promise<void> {
    this.revoked.add(tokenId)
  }

  add(account: NewAccount): Account {
    const added = { ...account, id: this.accounts.size + 1, disabled: false, tokenVersion: 1 }
    this.accounts.set(added.id, added)
    return added
  }

  change(id: number, changes: Partial<Account>): User | AccountRefusal {
    const known = this.accounts.get(id)
    if (known === undefined) return { refused: 'USER_UNKNOWN', details: { id } }
    const changed = { ...known, ...changes, tokenVersion: known.tokenVersion + 1 }
    this.accounts.set(id, changed)
    return changed
  }
}
