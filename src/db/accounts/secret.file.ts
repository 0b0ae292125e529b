import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writePrivateFile } from './private.file.ts'

const minimumLength = 32

/**
 * The secret that signs tokens: the one of the environment, or else one that is made once and kept in a file.
 * @throws with a sentence for the operator where it is too short
 */
export const loadSecret = async (dataDirectory: string, fromEnvironment?: string): Promise<string> => {
  if (fromEnvironment !== undefined) return longEnough(fromEnvironment, 'JWT_SECRET')
  const path = join(dataDirectory, 'jwt-secret')
  const kept = await readIfThere(path)
  if (kept !== undefined) return longEnough(kept.trim(), path)
  const secret = randomBytes(48).toString('base64url')
  await writePrivateFile(path, `${secret}\n`)
  return secret
}

const longEnough = (secret: string, name: string): string => {
  if (secret.length >= minimumLength) return secret
  throw new Error(`${name} must have at least ${minimumLength} characters, it has ${secret.length}`)
}

const readIfThere = async (path: string): Promise<string | undefined> => {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
