import type { Bench } from './row.ts'
import { untilStored } from './servers.ts'

// Ours and theirs in alternation, so that a minute in which the machine is slow is a minute for both.

export type Turns<Ours, Theirs> = {
  readonly say: Bench['say']
  readonly turns: number
  /** Of Galop: a turn begins when the rows of the one before are in Postgres. */
  readonly port: number
  readonly theirs: () => Promise<Theirs>
  readonly ours: () => Promise<Ours>
  /** One turn in a few words. */
  readonly told: (ours: Ours, theirs: Theirs) => string
}

export const alternate = async <Ours, Theirs>({
  say,
  turns,
  port,
  theirs,
  ours,
  told,
}: Turns<Ours, Theirs>): Promise<{ ours: Ours[]; theirs: Theirs[] }> => {
  const measured = { ours: [] as Ours[], theirs: [] as Theirs[] }
  for (let turn = 1; turn <= turns; turn++) {
    await untilStored(port)
    const their = await theirs()
    const our = await ours()
    measured.theirs.push(their)
    measured.ours.push(our)
    say(`turn ${turn} of ${turns}: ${told(our, their)}`)
  }
  return measured
}
