// How many sockets each one has: an address, or a user.

export class Tally<K> {
  readonly #most: number
  readonly #counts = new Map<K, number>()

  constructor(most: number) {
    this.#most = most
  }

  hasRoom(key: K): boolean {
    return (this.#counts.get(key) ?? 0) < this.#most
  }

  add(key: K): void {
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
  }

  remove(key: K): void {
    const left = (this.#counts.get(key) ?? 0) - 1
    if (left > 0) this.#counts.set(key, left)
    else this.#counts.delete(key)
  }
}
