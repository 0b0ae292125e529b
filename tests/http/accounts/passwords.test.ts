import { describe, expect, it } from 'vitest'
import { createPasswords } from '../../../src/http/accounts/passwords.ts'

describe('passwords', () => {
  it('takes the right one and no other', async () => {
    const passwords = createPasswords()
    const hash = await passwords.hash('correct horse')
    expect(await passwords.verify('correct horse', hash)).toBe(true)
    expect(await passwords.verify('correct horsf', hash)).toBe(false)
    expect(await passwords.verify('', hash)).toBe(false)
  })

  it('keeps a hash that names its scheme and holds neither the password nor the same salt twice', async () => {
    const passwords = createPasswords()
    const [one, two] = await Promise.all([passwords.hash('correct horse'), passwords.hash('correct horse')])
    expect(one).toMatch(/^scrypt\$32768\$8\$1\$[\w-]{22}\$[\w-]{43}$/)
    expect(one).not.toBe(two)
    expect(one).not.toContain('correct')
  })

  it('takes one letter that was typed as two signs', async () => {
    const passwords = createPasswords()
    const hash = await passwords.hash('caf\u00e9 du port')
    expect(await passwords.verify('cafe\u0301 du port', hash)).toBe(true)
  })

  it('verifies against a hash that was made at another cost', async () => {
    const hash = 'scrypt$1024$8$1$c2FsdHNhbHRzYWx0c2FsdA$A9lBa6RTbfBovWqamVIqXKovIl4Vk6OZyVojLJmYmSI'
    expect(await createPasswords().verify('correct horse', hash)).toBe(true)
    expect(await createPasswords().verify('wrong horse', hash)).toBe(false)
  })

  it('says no to an unknown name only after as much work as for a known one', async () => {
    const passwords = createPasswords()
    const hash = await passwords.hash('correct horse')
    const timed = async (kept: string | undefined) => {
      const cpuBefore = process.cpuUsage()
      expect(await passwords.verify('wrong horse', kept)).toBe(false)
      const { user, system } = process.cpuUsage(cpuBefore)
      return user + system
    }
    const best = async (kept: string | undefined) => {
      const times = []
      for (let trial = 0; trial < 5; trial += 1) times.push(await timed(kept))
      return Math.min(...times)
    }
    const known = await best(hash)
    const unknown = await best(undefined)
    expect(unknown).toBeGreaterThan(known / 2)
    expect(unknown).toBeLessThan(known * 2)
  })

  it('sends those away who come when two are calculated and 32 wait, and takes them later', async () => {
    const passwords = createPasswords()
    const hash = 'scrypt$1024$8$1$c2FsdHNhbHRzYWx0c2FsdA$A9lBa6RTbfBovWqamVIqXKovIl4Vk6OZyVojLJmYmSI'
    const answers = await Promise.all(
      Array.from({ length: 40 }, () => passwords.verify('correct horse', hash)),
    )
    expect(answers.filter((answer) => answer === true)).toHaveLength(34)
    expect(answers.slice(34)).toEqual(Array(6).fill('BUSY'))
    expect(await passwords.verify('correct horse', hash)).toBe(true)
  })

  it('goes on after a hash that it cannot read', async () => {
    const passwords = createPasswords()
    await expect(passwords.verify('correct horse', 'md5$1234')).rejects.toThrow('not of this server')
    await expect(passwords.verify('correct horse', 'scrypt$1024$8$1$$')).rejects.toThrow('cut short')
    const hash = await passwords.hash('correct horse')
    expect(await passwords.verify('correct horse', hash)).toBe(true)
  })
})
