// A Map that has room for a million entries and never makes room for all of them in one go.
//   WM1. Entries live in many small Maps. V8 makes room by writing the whole Map anew, while nobody is sold anything: 80 to
//        150 ms for a million entries. Here that happens to a few thousand at a time.

/** Which of the small Maps a key lives in. */
export type PartOf = (key: number) => number

const PARTS = 256
const IN_A_ROW = 4_096

/** For keys that come in any order. */
export const scattered: PartOf = (key) => key % PARTS
/** For keys that are counted up: what is walked comes in the order of the keys, and parts that are emptied go. */
export const counted: PartOf = (key) => Math.floor(key / IN_A_ROW)

export class WideMap<V> {
  readonly #partOf: PartOf
  readonly #parts = new Map<number, Map<number, V>>()
  #size = 0

  constructor(partOf: PartOf) {
    this.#partOf = partOf
  }

  get size(): number {
    return this.#size
  }

  get(key: number): V | undefined {
    return this.#parts.get(this.#partOf(key))?.get(key)
  }

  has(key: number): boolean {
    return this.#parts.get(this.#partOf(key))?.has(key) ?? false
  }

  set(key: number, value: V): void {
    const name = this.#partOf(key)
    let part = this.#parts.get(name)
    if (!part) {
      part = new Map()
      this.#parts.set(name, part)
    }
    this.#size -= part.size
    part.set(key, value)
    this.#size += part.size
  }

  delete(key: number): void {
    const name = this.#partOf(key)
    const part = this.#parts.get(name)
    if (!part?.delete(key)) return
    this.#size--
    if (part.size === 0) this.#parts.delete(name)
  }

  clear(): void {
    this.#parts.clear()
    this.#size = 0
  }

  /** Part by part, and in each in the order in which they were put there. */
  *[Symbol.iterator](): Generator<[number, V]> {
    for (const part of this.#parts.values()) yield* part
  }

  *keys(): Generator<number> {
    for (const part of this.#parts.values()) yield* part.keys()
  }

  *values(): Generator<V> {
    for (const part of this.#parts.values()) yield* part.values()
  }
}
