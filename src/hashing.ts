import { createHash, createHmac } from 'node:crypto'
import type { Hashing } from './domain/racing/hashing.ts'

/** What the runtime brings, in C. */
export const hashingOfRuntime: Hashing = {
  sha256: (bytes) => createHash('sha256').update(bytes).digest(),
  hmac: (key) => (message) => createHmac('sha256', key).update(message).digest(),
}
