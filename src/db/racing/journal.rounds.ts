import { toFact } from '../../domain/racing/facts.ts'
import { type Round, replayNext } from '../../domain/racing/round.ts'
import { readSoundJournal } from '../journal.check.ts'

/**
 * The rounds of a journal that nobody has open, folded while it is seen to be whole: its records are read once.
 * @throws Error where it is damaged, or lacks facts
 */
export const readRounds = async (directory: string): Promise<ReadonlyMap<number, Round>> => {
  const rounds = new Map<number, Round>()
  await readSoundJournal(directory, {
    note: () => {},
    record: (id, last, facts) => {
      let round = rounds.get(id)
      const first = last - facts.length + 1
      const next = (round?.factCount ?? 0) + 1
      if (first > next) throw new Error(`the journal lacks facts ${next} to ${first - 1} of round ${id}`)
      for (let i = next - first; i < facts.length; i++) round = replayNext(id, round, toFact(facts[i]))
      if (round) rounds.set(id, round)
    },
  })
  return rounds
}
