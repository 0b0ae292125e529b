// All chance of a run comes from its seed, by streams that have names: who asks one stream more often does not change
// what another one says.

/** sfc32, seeded from a number and a name. Whole numbers of 32 bits only, so that every engine agrees. */
export class Chance {
  #a: number
  #b: number
  #c: number
  #counter = 1

  constructor(seed: number, name: string) {
    let hash = 0x811c9dc5
    for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193)
    this.#a = seed | 0
    this.#b = Math.floor(seed / 2 ** 32) | 0
    this.#c = hash | 0
    for (let i = 0; i < 15; i++) this.next()
  }

  /** A whole number in [0, 2^32). */
  next(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0
    return sum >>> 0
  }

  /** A whole number in [0, limit). */
  below(limit: number): number {
    return Math.floor((this.next() / 2 ** 32) * limit)
  }

  /** A whole number from `first` to `last`. */
  between(first: number, last: number): number {
    return first + this.below(last - first + 1)
  }

  happens(probability: number): boolean {
    return this.next() < probability * 2 ** 32
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!
  }

  hex(bytes: number): string {
    let text = ''
    for (let i = 0; i < bytes; i++) text += this.below(256).toString(16).padStart(2, '0')
    return text
  }
}
