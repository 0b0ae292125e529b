import { setTimeout as delay } from 'node:timers/promises'

// A webhook: messages go to one address in their order, each until it is taken.
//   U1. Sending holds nobody up: a message waits in memory, and of too many the oldest are dropped.
//   U2. What was not taken is sent again under the same id, ever more seldom, until it is too old to be news.
//   U3. The address is never said: there may be a secret in it.

export type WebhookOptions = {
  readonly url: string
  readonly now: () => number
  /** A message was not taken: it is sent again, or was dropped. */
  readonly onTrouble: (what: string, error: Error) => void
  readonly firstWaitMs?: number
}

type Message = { readonly id: string; readonly at: number; readonly body: string }

const ANSWER_LIMIT_MS = 10_000
const FIRST_WAIT_MS = 1_000
const LONGEST_WAIT_MS = 60_000
const OLDEST_MS = 6 * 3_600_000
const MOST_WAITING = 200

export class Webhook {
  readonly #options: WebhookOptions
  readonly #waiting: Message[] = []
  readonly #stopping = new AbortController()
  #sending: Promise<void> | undefined

  constructor(options: WebhookOptions) {
    this.#options = options
  }

  /** Sends as JSON, with `id` among its members. */
  send(id: string, message: object): void {
    if (this.#stopping.signal.aborted) return
    if (this.#waiting.length >= MOST_WAITING) this.#waiting.shift()
    this.#waiting.push({ id, at: this.#options.now(), body: JSON.stringify({ id, ...message }) })
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = undefined
    })
  }

  /** Gives up what is under way. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#sending
  }

  async #sendAll(): Promise<void> {
    const { now, onTrouble, firstWaitMs = FIRST_WAIT_MS } = this.#options
    let waitMs = firstWaitMs
    for (let first = this.#waiting[0]; first && !this.#stopping.signal.aborted; first = this.#waiting[0]) {
      const error = await this.#post(first)
      if (this.#stopping.signal.aborted) return
      if (!error || now() - first.at > OLDEST_MS) {
        if (error) onTrouble('the webhook did not take a message in hours, which is dropped', error)
        // It may have been dropped meanwhile for others.
        if (this.#waiting[0] === first) this.#waiting.shift()
        waitMs = firstWaitMs
        continue
      }
      onTrouble('the webhook does not take messages', error)
      await delay(waitMs, undefined, { signal: this.#stopping.signal }).catch(() => {})
      waitMs = Math.min(LONGEST_WAIT_MS, waitMs * 2)
    }
  }

  /** @returns why it was not taken */
  async #post({ body }: Message): Promise<Error | undefined> {
    try {
      const answer = await fetch(this.#options.url, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'User-Agent': 'galop' },
        body,
        redirect: 'error',
        signal: AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(ANSWER_LIMIT_MS)]),
      })
      await answer.body?.cancel()
      return answer.ok ? undefined : new Error(`it answered ${answer.status}`)
    } catch (error) {
      // The error of a URL names it.
      return new Error(`it could not be reached (${codeOf(error)})`)
    }
  }
}

const codeOf = (error: unknown): string => {
  const { name, cause } = error as { name?: string; cause?: { code?: unknown } }
  return typeof cause?.code === 'string' ? cause.code : (name ?? 'unknown')
}
