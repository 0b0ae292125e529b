// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the texts are pieces of programs
// Negative controls: faults put in on purpose, each of which the simulation must find, and by the invariant that one would
// expect. They are edits of a copy of the sources. One whose text is not there any more is an error, not a pass.
import type { InvariantName } from '../invariants.ts'

export type Control = {
  readonly name: string
  /** What is wrong with the program then. */
  readonly what: string
  readonly edits: readonly Edit[]
  /** Any of these may find it. */
  readonly foundBy: readonly InvariantName[]
  /** It must be found within so many runs, from seed 1 on. */
  readonly withinRuns: number
}
export type Edit = { readonly file: string; readonly find: string; readonly replace: string }

export const CONTROLS: readonly Control[] = [
  {
    name: 'ack before commit',
    what: 'The caller is answered when it is decided, before it is on disk.',
    edits: [
      {
        file: 'src/actors/racing/round.keeper.ts',
        find: '    this.#ports.journal.append(\n',
        replace: '    done(view as ReceiptView)\n    this.#ports.journal.append(\n',
      },
    ],
    foundBy: ['S1'],
    withinRuns: 20,
  },
  {
    name: 'lock judged by the timer only',
    what: 'Betting is closed when the lock’s timer has fired, not when it is time.',
    edits: [
      {
        file: 'src/domain/racing/decide.ts',
        find: "if (round.phase === 'running' || now >= startsAt)",
        replace: "if (round.phase === 'running')",
      },
      {
        file: 'src/domain/racing/decide.ts',
        find: "if (round.phase === 'betting-locked' || now >= locksAt)",
        replace: "if (round.phase === 'betting-locked')",
      },
    ],
    foundBy: ['S4'],
    withinRuns: 60,
  },
  {
    name: 'no idempotency',
    what: 'A key that was used is forgotten.',
    edits: [
      {
        file: 'src/actors/racing/once.ts',
        find: '    const day = dayOf(now)\n    return (',
        replace: '    const day = dayOf(now) + 10\n    if (day > 0) return undefined\n    return (',
      },
    ],
    foundBy: ['S12', 'S1'],
    withinRuns: 20,
  },
  {
    name: 'last write wins in Postgres',
    what: 'A row is written by whatever fact comes last, though it is an older one.',
    edits: [
      {
        file: 'sim/postgres.tables.ts',
        find: 'else if (number > row.factNumber) {',
        replace: "else {\n      row.status = 'pending'",
      },
    ],
    foundBy: ['S5', 'S8'],
    withinRuns: 200,
  },
  {
    name: 'last write wins in the cache',
    what: 'The cache takes whatever change comes last, though it is of an older fact.',
    edits: [
      {
        file: 'src/db/racing/round.memory.cache.ts',
        find: 'if (!before || before.number < number)',
        replace: 'if (!before || before.number !== number)',
      },
    ],
    foundBy: ['S8', 'S7'],
    withinRuns: 700,
  },
  {
    name: 'settle twice after a crash',
    what: 'A round that was settled is run to its end once more when the server starts again.',
    edits: [
      {
        file: 'src/actors/racing/round.machine.ts',
        find: "        { target: 'settled' },",
        replace: "        { target: 'running' },",
      },
      {
        file: 'src/domain/racing/decide.ts',
        find: "if (round.phase !== 'running' || now < endsAt) return undefined",
        replace: 'if (now < endsAt) return undefined',
      },
    ],
    foundBy: ['S16', 'S5', 'S8'],
    withinRuns: 60,
  },
  {
    name: 'pay check-then-write',
    what: 'The archive looks whether a receipt won and is not paid, and pays it in a second transaction.',
    edits: [
      {
        file: 'sim/postgres.twin.ts',
        find: 'asking(() => ask(`${command.type} ${command.id}`, () => tables.ask(command, now, key))),',
        replace:
          "asking(async () => {\n        const seen = await ask('look', () => tables.find(command.id))\n" +
          "        return ask(`${command.type} ${command.id}`, () => tables.ask(command, now, key, seen?.status === 'won'))\n      }),",
      },
      {
        file: 'sim/postgres.tables.ts',
        find: 'ask({ type, id, by }: ReceiptCommand, now: number, key: string | undefined)',
        replace:
          'ask({ type, id, by }: ReceiptCommand, now: number, key: string | undefined, isChecked = false)',
      },
      {
        file: 'sim/postgres.tables.ts',
        find: "(type === 'PayReceipt' ? unpayable",
        replace: "(type === 'PayReceipt' && !isChecked ? unpayable",
      },
    ],
    foundBy: ['S5'],
    withinRuns: 400,
  },
  {
    name: 'paid as often as asked',
    what: 'An actor pays a receipt that is paid already.',
    edits: [
      {
        file: 'src/domain/racing/decide.ts',
        find: "if (status === 'paid') return refuse('RECEIPT_ALREADY_PAID', { id, ...closed! })",
        replace: "if (closed && status === 'won') return refuse('RECEIPT_ALREADY_PAID', { id, ...closed })",
      },
    ],
    foundBy: ['S5'],
    withinRuns: 60,
  },
  {
    name: 'offset skipped on reconnect',
    what: 'Who comes back to a stream misses its next message.',
    edits: [
      {
        file: 'src/http/live-hub.ts',
        find: 'stream.since(offset)',
        replace: 'stream.since(offset + 1)',
      },
    ],
    foundBy: ['S10'],
    withinRuns: 60,
  },
  {
    name: 'seed leaked',
    what: 'A round is committed to its seed itself: by one place in the chain too far.',
    edits: [
      {
        file: 'src/actors/racing/seeds.ts',
        find: 'commitment: index === 0 ? anchor : seeds[index - 1]!,',
        replace: 'commitment: seeds[index]!,',
      },
      {
        file: 'src/domain/racing/decide.ts',
        find: '  if (commitmentOf(seed) !== commitment)',
        replace: '  if (commitmentOf(seed) !== commitmentOf(commitment))',
      },
    ],
    foundBy: ['S11'],
    withinRuns: 5,
  },
  {
    name: 'result told early',
    what: 'A fact is heard when it is decided, before it is on disk.',
    edits: [
      {
        file: 'src/actors/racing/round.keeper.ts',
        find: '    this.#ports.journal.append(\n',
        replace:
          '    const { hear } = this.#ports\n    this.#heard = number\n' +
          '    hear({ roundId: round.id, number, fact, receiptCount, totalPrize, round })\n    this.#ports.journal.append(\n',
      },
    ],
    foundBy: ['S14', 'S11'],
    withinRuns: 5,
  },
  {
    name: 'draw looks at the bets',
    what: 'Where the favourite of the seed would cost much, somebody else wins.',
    edits: [
      {
        file: 'src/domain/racing/decide.ts',
        find: 'const order = drawOrder(command.seed, round.id, field)',
        replace:
          'const order = drawOrder(command.seed, round.id, field)\n' +
          '      if ((round.liabilities.get(order[0]!) ?? 0) > 20_000) order.reverse()',
      },
    ],
    foundBy: ['S6'],
    withinRuns: 60,
  },
  {
    name: 'receipts on the public topic',
    what: 'What staff is told of receipts goes to everybody.',
    edits: [
      {
        file: 'src/http/racing/racing.live.ts',
        find: '    this.#all?.publish(event, shared)\n    this.#own.get',
        replace:
          '    this.#all?.publish(event, shared)\n    this.race.publish(event, shared)\n    this.#own.get',
      },
    ],
    foundBy: ['S11'],
    withinRuns: 20,
  },
  {
    name: 'cancelled receipts in lists',
    what: 'Lists of live receipts show those that were cancelled.',
    edits: [
      {
        file: 'src/http/racing/my-bets.list.ts',
        find: "(wanted === undefined ? status !== 'cancelled' : status === wanted)",
        replace: '(wanted === undefined || status === wanted)',
      },
    ],
    foundBy: ['S3', 'S15'],
    withinRuns: 60,
  },
  {
    name: 'no way back after a failed commit',
    what: 'What could not be written stays in memory.',
    edits: [
      {
        file: 'src/actors/racing/round.keeper.ts',
        find: '    if (era !== this.#era) return\n    this.#era++\n',
        replace: '    this.#era++\n    if (this.#era > 0) return\n    if (era !== this.#era) return\n',
      },
    ],
    foundBy: ['S14', 'S1', 'S8', 'S2'],
    withinRuns: 60,
  },
  {
    name: 'owner asked too early',
    what: 'Postgres is asked whose a round is while the commit of its hand-over is still on its way.',
    edits: [{ file: 'sim/postgres.twin.ts', find: ', { awaits: ids }', replace: '' }],
    foundBy: ['S1', 'S5', 'S7', 'S8', 'S14', 'S15'],
    withinRuns: 1_500,
  },
  {
    name: 'rounds sleep after a restart',
    what: 'The timers of rounds found in the journal are not armed.',
    edits: [
      {
        file: 'src/actors/racing/racing.ts',
        find: 'if (!this.#handOvers.has(keeper.round.id)) actor.start()',
        replace: "if (!this.#handOvers.has(keeper.round.id) && actor.id === '') actor.start()",
      },
    ],
    foundBy: ['S9'],
    withinRuns: 60,
  },
]
