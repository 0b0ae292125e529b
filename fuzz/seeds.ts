// Seeds of rounds: 64 hexadecimal digits, seen by nobody before their round is settled.

type Shown = { readonly seed: string }
/** A round that is over, by its race or because it was voided. */
export type Settled = {
  readonly settledAt: number
  readonly result: Shown | null
  readonly voided?: Shown
}

export const seedOf = ({ result, voided }: Settled): string => (result ?? voided)!.seed

export class SeedWatch {
  readonly #firstSeenAt = new Map<string, { readonly at: number; readonly where: string }>()

  /** Notes everything in an answer that could be a seed. */
  see(where: string, text: string, at = Date.now()): void {
    for (const [digits] of text.matchAll(/\b[0-9a-f]{64}\b/g))
      if (!this.#firstSeenAt.has(digits)) this.#firstSeenAt.set(digits, { at, where })
  }

  /** Seeds that were seen before their round was settled. */
  leaked(rounds: readonly Settled[]): string[] {
    return rounds.flatMap((round) => {
      const { settledAt } = round
      const seen = this.#firstSeenAt.get(seedOf(round))
      return seen && seen.at < settledAt
        ? [`a seed was seen ${settledAt - seen.at} ms early in ${seen.where}`]
        : []
    })
  }
}
