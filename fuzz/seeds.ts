// Seeds of rounds: 64 hexadecimal digits, seen by nobody before their round is settled.

type Settled = { readonly settledAt: number; readonly result: { readonly seed: string } }

export class SeedWatch {
  readonly #firstSeenAt = new Map<string, { readonly at: number; readonly where: string }>()

  /** Notes everything in an answer that could be a seed. */
  see(where: string, text: string, at = Date.now()): void {
    for (const [digits] of text.matchAll(/\b[0-9a-f]{64}\b/g))
      if (!this.#firstSeenAt.has(digits)) this.#firstSeenAt.set(digits, { at, where })
  }

  /** Seeds that were seen before their round was settled. */
  leaked(rounds: readonly Settled[]): string[] {
    return rounds.flatMap(({ settledAt, result: { seed } }) => {
      const seen = this.#firstSeenAt.get(seed)
      return seen && seen.at < settledAt
        ? [`a seed was seen ${settledAt - seen.at} ms early in ${seen.where}`]
        : []
    })
  }
}
