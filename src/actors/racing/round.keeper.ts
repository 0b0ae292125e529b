import type { ClockCommand, Command, VoidRound } from '../../domain/racing/decide.ts'
import { decideClock, decideReceipt, decideSale, decideVoid } from '../../domain/racing/decide.ts'
import type { Fact, ReceiptFact } from '../../domain/racing/facts.ts'
import { type ReceiptView, viewReceipt } from '../../domain/racing/receipt-view.ts'
import { isRefusal, type Refusal } from '../../domain/racing/refusals.ts'
import { fold, type Round, replay } from '../../domain/racing/round.ts'
import { type Voided, viewVoided } from '../../domain/racing/voided.ts'
import type { Clock } from '../clock.port.ts'
import type { Journal, Notes } from '../journal.port.ts'
import { Unavailable } from '../unavailable.port.ts'
import type { Heard } from './racing.port.ts'
import type { ReceiptCounter } from './receipt.counter.ts'
import type { Seeds } from './seeds.ts'

// Decide, fold, write down, and only then let it be heard.
//   K1. An answer leaves when everything it rests upon is on disk, a refusal too.
//   K2. A fact is heard once, in order, after its commit.
//   K3. After a failed commit the round is what the journal says, and everyone under way is told so.

/** Where the answer to a command goes. */
export type Reply = {
  readonly resolve: (outcome: ReceiptView | Refusal) => void
  readonly reject: (fault: Error) => void
  /** What to keep beside the facts, so that the same question is answered alike later. */
  readonly remember?: (outcome: ReceiptView | Refusal) => Notes
}

export type VoidReply = {
  readonly resolve: (outcome: Voided | Refusal) => void
  readonly reject: (fault: Error) => void
}

export type KeeperPorts = {
  readonly journal: Journal<Fact>
  readonly clock: Clock
  readonly counter: ReceiptCounter
  readonly hear: (heard: Heard) => void
}

const notWritten = (cause: Error): Unavailable =>
  new Unavailable(
    'journal',
    'the journal cannot write at present; nothing was changed, ask again in a moment',
    { cause },
  )

export class RoundKeeper {
  round: Round
  readonly #ports: KeeperPorts
  /** Counts the failed commits survived: what was decided in an earlier era was not written. */
  #era = 0
  #heard: number

  constructor(round: Round, ports: KeeperPorts) {
    this.round = round
    this.#ports = ports
    this.#heard = round.factCount
  }

  /** Whether it makes sense to decide anything now. */
  get canWrite(): boolean {
    return this.#ports.journal.failure === undefined
  }

  /** What a person asks: decided now, answered when it is on disk. */
  ask(command: Command, reply: Reply): void {
    const { journal, clock, counter } = this.#ports
    if (journal.failure) return reply.reject(notWritten(journal.failure))
    const now = clock.now()
    const decided =
      command.type === 'SellReceipt'
        ? decideSale(this.round, command, counter.next(), now)
        : decideReceipt(this.round, command, now)
    if (isRefusal(decided)) return this.#answer(decided, reply)
    const notes = decided.type === 'ReceiptSold' ? counter.take() : undefined
    this.#record(
      decided,
      (written) => {
        if (written instanceof Error) reply.reject(notWritten(written))
        else reply.resolve(written)
      },
      notes,
      reply.remember,
    )
  }

  /** What an admin asks: the end of the round without a winner. */
  void(command: VoidRound, seeds: Seeds, reply: VoidReply): void {
    const { journal, clock } = this.#ports
    if (journal.failure) return reply.reject(notWritten(journal.failure))
    let decided: Fact | Refusal | undefined
    try {
      decided = decideVoid(this.round, command, seeds.reveal(this.round.opened), clock.now())
    } catch (fault) {
      return reply.reject(fault as Error)
    }
    if (!decided) return this.#answer(viewVoided(this.round), reply)
    if (isRefusal(decided)) return this.#answer(decided, reply)
    this.#record(decided, (written) => {
      if (written instanceof Error) reply.reject(notWritten(written))
      else reply.resolve(viewVoided(this.round))
    })
  }

  /** What the clock asks: `undefined` where it is not due or cannot be written yet; it asks again. */
  tick(command: ClockCommand): void {
    const { journal, clock } = this.#ports
    if (journal.failure) return
    const fact = decideClock(this.round, command, clock.now())
    if (fact) this.#record(fact, () => {})
  }

  /** Answers with what was read, once all that it rests upon is on disk. */
  #answer<A>(
    read: A,
    reply: {
      readonly resolve: (read: A) => void
      readonly reject: (fault: Error) => void
      readonly remember?: (read: A) => Notes
    },
  ): void {
    const { journal } = this.#ports
    const era = this.#era
    const answer = (): void => {
      if (era === this.#era) reply.resolve(read)
      else reply.reject(notWritten(journal.failure ?? new Error('a commit failed meanwhile')))
    }
    const pending = reply.remember ? journal.write(reply.remember(read)) : journal.settled()
    if (pending) pending.then(answer, (error: Error) => reply.reject(notWritten(error)))
    else answer()
  }

  #record(
    fact: Fact,
    done: (written: ReceiptView | Error) => void,
    notes?: Notes,
    remember?: (outcome: ReceiptView) => Notes,
  ): void {
    const { round } = this
    const era = this.#era
    fold(round, fact)
    const number = round.factCount
    const { receiptCount, totalPrize } = round
    const view =
      'sale' in fact ? viewReceipt(round, round.receipts.get((fact as ReceiptFact).id)!) : undefined
    const kept = view && remember ? { ...notes, ...remember(view) } : notes
    this.#ports.journal.append(
      { stream: round.id, first: number, facts: [fact], ...(kept && { notes: kept }) },
      (error) => {
        if (error) {
          this.#returnToDisk(era)
          done(error)
          return
        }
        this.#heard = number
        this.#ports.hear({ roundId: round.id, number, fact, receiptCount, totalPrize, round: this.round })
        done(view as ReceiptView)
      },
    )
  }

  /** After a failed commit: takes the round from disk, once per failure, and lets be heard what did arrive there. */
  #returnToDisk(era: number): void {
    if (era !== this.#era) return
    this.#era++
    const { journal, hear } = this.#ports
    const facts = journal.read(this.round.id)
    this.round = replay(this.round.id, facts)
    const { receiptCount, totalPrize } = this.round
    for (let number = this.#heard + 1; number <= facts.length; number++) {
      this.#heard = number
      hear({
        roundId: this.round.id,
        number,
        fact: facts[number - 1]!,
        receiptCount,
        totalPrize,
        round: this.round,
      })
    }
  }
}
