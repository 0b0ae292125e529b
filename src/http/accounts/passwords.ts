import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'

// Passwords are kept as `scrypt$N$r$p$salt$key`, salt and key in base64url.
//   H1. Whether a name exists is not to be read from the time an answer takes: a verification always costs one scrypt.
//   H2. However many guess at once, two are calculated; the others wait in a short line, or are sent away.

const cost = { N: 2 ** 15, r: 8, p: 1 }
const keyBytes = 32
const saltBytes = 16
/** Above what scrypt with our cost needs (128 · N · r bytes, and a little), below what would hurt. */
const maximumMemory = 128 * 1024 * 1024
const concurrentCalculations = 2
const longestLine = 32

export type Passwords = {
  /** Waits for its turn, however long the line is: only admins and the first start ask. */
  hash(password: string): Promise<string>
  /**
   * Whether the password is the one of this hash. Without a hash it takes as long and says no.
   * `BUSY`: too many wait already; nothing was calculated.
   */
  verify(password: string, hash: string | undefined): Promise<boolean | 'BUSY'>
}

export const createPasswords = (): Passwords => {
  const line = new Line(concurrentCalculations)
  return {
    hash: (password) => line.turn(() => hashOf(password)),
    async verify(password, hash) {
      if (line.waiting >= longestLine) return 'BUSY'
      return line.turn(() => isPassword(password, hash))
    },
  }
}

class Line {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(places: number) {
    this.#free = places
  }

  get waiting(): number {
    return this.#waiting.length
  }

  async turn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#free += 1
    }
  }
}

const hashOf = async (password: string): Promise<string> => {
  const salt = randomBytes(saltBytes)
  const key = await derive(password, salt, keyBytes, cost)
  return ['scrypt', cost.N, cost.r, cost.p, salt.toString('base64url'), key.toString('base64url')].join('$')
}

// Of nobody's password: the right answer to it is not known to anyone, this program included.
const dummy = ['scrypt', cost.N, cost.r, cost.p, randomBytes(saltBytes).toString('base64url')].join('$')
const dummyHash = `${dummy}$${randomBytes(keyBytes).toString('base64url')}`

const isPassword = async (password: string, hash: string | undefined): Promise<boolean> => {
  const kept = parse(hash ?? dummyHash)
  const key = await derive(password, kept.salt, kept.key.length, kept)
  return timingSafeEqual(key, kept.key) && hash !== undefined
}

type Kept = { readonly N: number; readonly r: number; readonly p: number; salt: Buffer; key: Buffer }

const parse = (hash: string): Kept => {
  const [scheme, N, r, p, salt, key, ...rest] = hash.split('$')
  if (scheme !== 'scrypt' || salt === undefined || key === undefined || rest.length > 0) {
    throw new Error('a password hash is not of this server')
  }
  const kept = {
    N: Number(N),
    r: Number(r),
    p: Number(p),
    salt: Buffer.from(salt, 'base64url'),
    key: Buffer.from(key, 'base64url'),
  }
  if (kept.salt.length < 8 || kept.key.length < 16) throw new Error('a password hash was cut short')
  return kept
}

const derive = (
  password: string,
  salt: Buffer,
  length: number,
  { N, r, p }: ScryptOptions & typeof cost,
): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    // One letter may be typed as one sign or as two (é): both are the same password.
    scrypt(password.normalize('NFC'), salt, length, { N, r, p, maxmem: maximumMemory }, (error, key) =>
      error ? reject(error) : resolve(key),
    )
  })
