import { commitmentOf, seedChain } from '../../domain/racing/draw.ts'
import type { Fact, RoundOpened } from '../../domain/racing/facts.ts'
import type { Hashing } from '../../domain/racing/hashing.ts'
import type { Journal, Notes } from '../journal.port.ts'

/** Rounds that one chain lasts for: 4,096 hashes are made in some 10 ms, once. */
const CHAIN_LENGTH = 4096

type Chain = { readonly anchor: string; readonly seeds: readonly string[] }
/** Durable: the secrets of the chain in use and of the one before it, whose last round may still run. */
type ChainNote = { readonly secrets: readonly string[]; readonly used: number }

/** The seeds of one track. A seed leaves only to settle the round that was committed to it. */
export interface Seeds {
  /** The commitment of the next round, and what to write down together with its opening. */
  commit(): { commitment: string; chain: RoundOpened['chain']; notes: Notes }
  /** The seed behind a round's commitment. Throws where the chain is not known here. */
  reveal(opened: RoundOpened): string
}

export const trackSeeds = (
  journal: Journal<Fact>,
  track: string,
  randomSecret: () => string,
  length = CHAIN_LENGTH,
  hashing?: Hashing,
): Seeds => {
  const name = `chain/${track}`
  const toChain = (secret: string): Chain => {
    const seeds = seedChain(secret, length, hashing)
    return { anchor: commitmentOf(seeds[0]!), seeds }
  }
  const known = (journal.note(name) as ChainNote | undefined) ?? { secrets: [randomSecret()], used: 0 }
  let secrets = [...known.secrets]
  let chains = secrets.map(toChain)
  let used = known.used

  return {
    commit: () => {
      if (used === length) {
        secrets = [randomSecret(), secrets[0]!]
        chains = [toChain(secrets[0]!), chains[0]!]
        used = 0
      }
      const { anchor, seeds } = chains[0]!
      const index = used++
      return {
        commitment: index === 0 ? anchor : seeds[index - 1]!,
        chain: { anchor, index },
        notes: { [name]: { secrets, used } satisfies ChainNote },
      }
    },
    reveal: ({ chain, track: of }) => {
      const found = chains.find((one) => one.anchor === chain.anchor)
      const seed = found?.seeds[chain.index]
      if (!seed) throw new Error(`the journal holds no seed chain ${chain.anchor} for track ${of}`)
      return seed
    },
  }
}
