import type { Fact } from '../../domain/racing/facts.ts'
import { refuse } from '../../domain/racing/refusals.ts'
import type { Journal, Notes } from '../journal.port.ts'
import type { OnceKey, Outcome } from './racing.port.ts'

// Asked once, answered alike: what was decided under an idempotency key is decided no second time.
//   I1. The answer is written in the same commit as the facts it belongs to.
//   I2. The same key while the first is under way waits for the first answer.
//   I3. Keys are forgotten by whole days, after one day at least and two at most.
//   I4. A user has so many keys a day and no more: they are kept on the disk that everybody sells from.

const DAY_MS = 86_400_000
/** Some twelve a second, all day long. */
export const mostKeysADay = 1_000_000

type Kept = { readonly digest: string; readonly outcome: Outcome }

export const onceGate = (journal: Journal<Fact>, most = mostKeysADay) => {
  /** How many keys each user has of a day, `day/user`; counted on disk when it is asked for first. */
  const counts = new Map<string, number>()
  const underWay = new Map<string, { digest: string; outcome: Promise<Outcome> }>()
  const dayOf = (now: number): number => Math.floor(now / DAY_MS)
  const nameOf = (day: number, { user, key }: OnceKey): string => `key/${day}/${user}/${key}`

  const earlier = (
    once: OnceKey,
    now: number,
  ): Kept | { digest: string; outcome: Promise<Outcome> } | undefined => {
    const day = dayOf(now)
    return (
      underWay.get(`${once.user}/${once.key}`) ??
      (journal.note(nameOf(day, once)) as Kept | undefined) ??
      (journal.note(nameOf(day - 1, once)) as Kept | undefined)
    )
  }

  const countOf = (day: number, user: number): number => {
    const known = counts.get(`${day}/${user}`)
    if (known !== undefined) return known
    let count = 0
    for (const _ of journal.notes(`key/${day}/${user}/`)) count++
    return count
  }

  return {
    /** Runs `decide` unless this key was decided before; then answers as before. */
    ask: async (
      once: OnceKey,
      now: number,
      decide: (remember: (outcome: Outcome) => Notes) => Promise<Outcome>,
    ): Promise<Outcome> => {
      const before = earlier(once, now)
      if (before && before.digest !== once.digest) return refuse('IDEMPOTENCY_KEY_REUSED', { key: once.key })
      if (before) return before.outcome
      const day = dayOf(now)
      const count = countOf(day, once.user)
      if (count >= most) return refuse('TOO_MANY_KEYS', { most, until: (day + 1) * DAY_MS })
      counts.set(`${day}/${once.user}`, count + 1)
      const outcome = decide((decided) => ({
        [nameOf(day, once)]: { digest: once.digest, outcome: decided } satisfies Kept,
      }))
      const name = `${once.user}/${once.key}`
      underWay.set(name, { digest: once.digest, outcome })
      try {
        return await outcome
      } finally {
        underWay.delete(name)
      }
    },
    /** Forgets the keys of days gone by. */
    forget: async (now: number): Promise<void> => {
      const today = dayOf(now)
      for (const name of counts.keys()) if (Number(name.split('/')[0]) < today) counts.delete(name)
      const days = new Set<string>()
      for (const [name] of journal.notes('key/')) days.add(name.split('/')[1]!)
      for (const day of days) if (Number(day) < today - 1) await journal.forget(`key/${day}/`)
    },
  }
}
export type OnceGate = ReturnType<typeof onceGate>
