// What happened, as a number to compare and, when asked for, as lines to read.

export class Trace {
  /** Kept only where somebody will read them. */
  readonly lines: string[] | undefined
  #high = 0xdeadbeef
  #low = 0x41c6ce57
  count = 0

  constructor(isKept: boolean) {
    this.lines = isKept ? [] : undefined
  }

  /** Adds a line. Whatever two runs do differently shows in one of them. */
  add(line: string): void {
    this.count++
    let high = this.#high
    let low = this.#low
    for (let i = 0; i < line.length; i++) {
      const code = line.charCodeAt(i)
      high = Math.imul(high ^ code, 2654435761)
      low = Math.imul(low ^ code, 1597334677)
    }
    this.#high = high ^ (low >>> 13)
    this.#low = low ^ (high >>> 16)
    this.lines?.push(line)
  }

  get hash(): string {
    const part = (value: number): string => (value >>> 0).toString(16).padStart(8, '0')
    return part(this.#high) + part(this.#low)
  }
}
