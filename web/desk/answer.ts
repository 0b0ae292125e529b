import { useEffect, useRef, useState } from 'preact/hooks'
import type { Api } from '../api.d.ts'
import { ask, type Route } from '../client.ts'
import type { Refusal } from '../refusals.ts'

// Asking again and again at a calm pace, and sooner where something was heard to happen.
//   A1. What is shown is the answer to what is asked now, never to what was asked before.
//   A2. An answer that did not come leaves what is known on the page, and says so.

export type Seen<T> = {
  readonly data?: T
  /** Why the last look brought nothing. */
  readonly refusal?: Refusal | undefined
  /** When `data` was true. */
  readonly at?: number
  /** Looks now, whatever the pace. */
  readonly again: () => void
}

type Asking<R extends Route> = { readonly path?: Api[R]['path']; readonly query?: Api[R]['query'] }
type Pace = {
  readonly everyMs: number
  /** Whenever it changes, it is time to look. */
  readonly happened?: unknown
}

/** Looks caused by what happened are this far apart, however much happens. */
const SHORTEST_MS = 1_000

export const useAnswer = <R extends Route>(
  route: R,
  asking: Asking<R>,
  { everyMs, happened }: Pace,
): Seen<Api[R]['data']> => {
  const key = `${route} ${JSON.stringify(asking)}`
  const [seen, see] = useState<{ key: string } & Omit<Seen<Api[R]['data']>, 'again'>>({ key })
  const looking = useRef({ again: () => {}, soon: () => {} })

  useEffect(() => {
    let isOver = false
    let isLooking = false
    let isWanted = false
    let lookedAt = 0
    let timer: ReturnType<typeof setTimeout> | undefined
    const look = async (): Promise<void> => {
      clearTimeout(timer)
      isLooking = true
      lookedAt = Date.now()
      const answer = await ask(route, asking)
      isLooking = false
      if (isOver) return
      see((before) =>
        answer.ok
          ? { key, data: answer.data, at: Date.now() }
          : { ...(before.key === key ? before : { key }), refusal: answer },
      )
      timer = setTimeout(look, isWanted ? SHORTEST_MS : everyMs)
      isWanted = false
    }
    const within = (ms: number): void => {
      clearTimeout(timer)
      if (isLooking) isWanted = true
      else timer = setTimeout(look, ms)
    }
    looking.current = {
      again: () => within(0),
      soon: () => within(Math.max(0, lookedAt + SHORTEST_MS - Date.now())),
    }
    void look()
    return () => {
      isOver = true
      clearTimeout(timer)
    }
  }, [key, everyMs])

  const last = useRef(happened)
  useEffect(() => {
    if (last.current !== happened) looking.current.soon()
    last.current = happened
  }, [happened])

  return { ...(seen.key === key ? seen : {}), again: () => looking.current.again() }
}
