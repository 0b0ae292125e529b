// How the program waits for what is away, and how often it says so.

const RETRY_MS = 1_000
const SAY_EVERY = 10
const TELL_AGAIN_MS = 10_000

/** The same trouble comes many times a second while a store is away: it is told at once, and then now and again. */
export const onceInAWhile = (
  now: () => number,
  tell: (what: string, error: unknown) => void,
): ((what: string, error: unknown) => void) => {
  const toldAt = new Map<string, number>()
  return (what, error) => {
    if (now() - (toldAt.get(what) ?? Number.NEGATIVE_INFINITY) < TELL_AGAIN_MS) return
    toldAt.set(what, now())
    tell(what, error)
  }
}

/** Waits no longer than so: a store that says nothing must not keep the server from stopping. */
export const within = async (work: Promise<unknown>, limitMs: number): Promise<void> => {
  let late: NodeJS.Timeout | undefined
  const limit = new Promise<void>((resolve) => {
    late = setTimeout(resolve, limitMs)
  })
  await Promise.race([work, limit]).finally(() => clearTimeout(late))
}

/** Repeats while what fails will pass, and says now and again that it waits. Other faults are thrown. */
export const untilAnswered = async (
  ask: () => Promise<unknown>,
  isPassing: (error: unknown) => boolean,
  sayWaiting: (error: unknown) => void,
): Promise<void> => {
  for (let attempt = 0; ; attempt++) {
    try {
      await ask()
      return
    } catch (error) {
      if (!isPassing(error)) throw error
      if (attempt % SAY_EVERY === 0) sayWaiting(error)
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    }
  }
}

/** Repeats until it is done or over. */
export const keepTrying = async (
  work: () => Promise<void>,
  isOver: () => boolean,
  onFailure: (error: unknown) => void,
): Promise<void> => {
  while (!isOver()) {
    try {
      await work()
      return
    } catch (error) {
      onFailure(error)
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    }
  }
}
