// Appends facts to the journal in the directory named until it is killed, and says each number once it is written down.
import process from 'node:process'
import { openJournal } from '../../src/db/journal.ts'
import { openLmdbStore } from '../../src/db/lmdb.store.ts'

const STREAMS = [1, 2, 3]
const UNDER_WAY = 40

const journal = openJournal({
  store: openLmdbStore(process.argv[2]!),
  parse: (row) => row as { stream: number; number: number },
})

const appendNext = (stream: number, number: number): void =>
  journal.append(
    { stream, first: number, facts: [{ stream, number }], notes: { [`last/${stream}`]: number } },
    (error) => {
      if (error) throw error
      process.stdout.write(`${stream} ${number}\n`)
      appendNext(stream, number + UNDER_WAY)
    },
  )

for (const stream of STREAMS) {
  const last = journal.last(stream)
  for (let ahead = 1; ahead <= UNDER_WAY; ahead++) appendNext(stream, last + ahead)
}
