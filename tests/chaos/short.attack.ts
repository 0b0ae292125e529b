import { expect, it } from 'vitest'
import { attacks } from '../../chaos/attacks.ts'

const TIMEOUT_MS = 180_000

/** An attack of `npm run chaos` in its short form, as CI makes it. Each has a file of its own, so that two can run side by side. */
export const attack = (name: string): void => {
  const { what, run } = attacks.find((one) => one.name === name)!
  it(
    `agrees with everybody's books after ${what}`,
    async () => {
      const said: string[] = []
      const { faults, trials } = await run({ isShort: true, say: (line) => said.push(line) })
      expect(faults, said.join('\n')).toEqual([])
      expect(trials).toBeGreaterThan(0)
    },
    TIMEOUT_MS,
  )
}
