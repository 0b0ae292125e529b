import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadSecret } from '../../../src/db/accounts/secret.file.ts'

let place: string
beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), 'galop-secret-'))
})
afterEach(() => rm(place, { recursive: true }))

describe('the secret of tokens', () => {
  it('is made once and kept where nobody else reads it', async () => {
    const secret = await loadSecret(place)
    expect(secret.length).toBeGreaterThanOrEqual(64)
    expect(await loadSecret(place)).toBe(secret)
    expect((await stat(join(place, 'jwt-secret'))).mode & 0o777).toBe(0o600)
  })

  it('is the one of the environment where there is one, which is written nowhere', async () => {
    const given = 'x'.repeat(32)
    expect(await loadSecret(place, given)).toBe(given)
    await expect(readFile(join(place, 'jwt-secret'))).rejects.toThrow('ENOENT')
  })

  it('is refused where it is too short, without being shown', async () => {
    await expect(loadSecret(place, 'hunter22')).rejects.toThrow(
      'JWT_SECRET must have at least 32 characters, it has 8',
    )
    await expect(loadSecret(place, '')).rejects.toThrow('JWT_SECRET')
    await writeFile(join(place, 'jwt-secret'), 'cut')
    await expect(loadSecret(place)).rejects.toThrow(/jwt-secret must have at least 32 characters, it has 3$/)
  })
})
