import process from 'node:process'
import { environment, readConfig } from './config.ts'
import { type Checked, type Compared, checkProof, type Proof } from './domain/racing/proof.ts'

// `npm run verify-round -- ID`: computes a round's outcome again from what its server revealed, and compares.

const USAGE = `Usage: npm run verify-round -- ID [--url ADDRESS] [--commitment HEX]
Asks the server for the proof of round ID, computes commitment, chain and order of arrival from the seed, and compares.
  --url         the server, http://127.0.0.1:PORT unless it is given
  --commitment  what a receipt or a screen said before the race; compared as well
Exit code 0: all of it is right. 1: something is not. 2: it could not be checked, or not yet.
`

const say = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

const complain = (line: string): number => {
  process.stderr.write(`${line}\n`)
  return 2
}

const main = async (): Promise<number> => {
  const asked = readArguments(process.argv.slice(2))
  if (!asked) return complain(USAGE.trimEnd())
  const url = asked.url ?? `http://127.0.0.1:${readConfig(environment()).port}`
  const response = await fetch(new URL(`/api/v1/rounds/${asked.id}/proof`, url))
  const answer = (await response.json()) as { data?: Proof; error?: { message: string } }
  if (!answer.data)
    return complain(`galop: ${answer.error?.message ?? `the server answered ${response.status}`}`)
  const proof = answer.data
  const checked = checkProof(proof, asked.commitment)
  if (!checked)
    return complain(`galop: the race of round ${proof.roundId} is not over; its seed is still secret`)
  tell(proof, checked)
  return checked.isRight ? 0 : 1
}

const readArguments = (words: readonly string[]) => {
  const options = new Map<string, string>()
  const rest: string[] = []
  for (let i = 0; i < words.length; i++) {
    if (words[i]!.startsWith('--')) options.set(words[i]!, words[++i] ?? '')
    else rest.push(words[i]!)
  }
  const isKnown = [...options].every(([name, value]) => ['--url', '--commitment'].includes(name) && value)
  if (rest.length !== 1 || !/^[1-9]\d{0,14}$/.test(rest[0]!) || !isKnown) return undefined
  return { id: rest[0]!, url: options.get('--url'), commitment: options.get('--commitment')?.toLowerCase() }
}

const tell = (proof: Proof, { commitment, kept, chain, places, order, isRight }: Checked): void => {
  const nameOf = (number: number): string => proof.field.find((one) => one.number === number)?.name ?? '?'
  say(`Round ${proof.roundId}, seed ${proof.seed}`)
  verdict('sha256(seed) is the commitment', commitment)
  if (kept) verdict('the commitment that you kept is the one that the server names', kept)
  verdict(`sha256 applied ${chain.hashes} times leads to the anchor of the chain`, chain)
  places.forEach(({ number, chance, block, ticket, chances }, place) => {
    say(
      `  place ${place + 1}: block ${block} gives ${ticket} of ${chances}: ${number} ${nameOf(number)} (chance ${chance})`,
    )
  })
  if (order) verdict('the order of arrival is the one that was drawn', order)
  else say('  the round was voided: there is no order to check')
  say(isRight ? 'All of it is right.' : 'NOT RIGHT: keep your receipt and this text.')
}

const verdict = (what: string, { said, computed, isRight }: Compared): void => {
  say(`${isRight ? 'ok ' : 'NO '} ${what}`)
  say(`     said ${said}`)
  say(`     computed ${computed}`)
}

try {
  process.exitCode = await main()
} catch (error) {
  const { message, cause } = error as Error
  process.exitCode = complain(`galop: ${message}${cause instanceof Error ? ` (${cause.message})` : ''}`)
}
