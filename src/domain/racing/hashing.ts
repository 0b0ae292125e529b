import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'

/**
 * SHA-256 and HMAC-SHA256. Thousands are made at a start: a runtime that has its own hands them in, which are ten times as
 * fast as those in JavaScript before these are warm.
 */
export type Hashing = {
  readonly sha256: (bytes: Uint8Array) => Uint8Array
  /** The key once, then a hash of each message under it. */
  readonly hmac: (key: Uint8Array) => (message: Uint8Array) => Uint8Array
}

export const hashingInJavaScript: Hashing = {
  sha256,
  hmac: (key) => {
    const keyed = hmac.create(sha256, key)
    return (message) => keyed.clone().update(message).digest()
  },
}
