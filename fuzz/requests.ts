import fc from 'fast-check'
import { type Operation, operationsOf } from './document.ts'
import { faultsOf } from './judge.ts'
import { type Asked, isPlain, requestsOf } from './request.ts'
import { SeedWatch, seedOf } from './seeds.ts'
import { asCurl, type Outcome, prepare, Sender } from './send.ts'
import type { Target } from './target.ts'

// So many requests, a few at a time, in an order that follows from the seed.

const CONNECTIONS = 8
const BATCH = 50
/** Passwords are slow on purpose: these come less often, or the run would measure scrypt. */
const SELDOM = new Set(['POST /api/v1/auth/login', 'POST /api/v1/users/', 'POST /api/v1/users/{id}/password'])
const SELDOM_BATCH = 5
/** Few sales fall into a moment in which anything is sold, and all else needs some that did: so these come first, too. */
const OFTEN = new Set(['POST /api/v1/receipts/'])
const OFTEN_BATCH = 300
const MOST_FINDINGS = 20

export type Finding = {
  readonly operation: string
  readonly fault: string
  /** The numbers that make just this request again. */
  readonly seed: number
  readonly index: number
  readonly curl: string
  readonly answer: string
  /** How often the same was seen. */
  times: number
}
export type Counts = Map<string, Map<string, number>>
export type Report = {
  readonly requests: number
  readonly findings: readonly Finding[]
  /** Answers by operation and status. */
  readonly counts: Counts
  readonly operations: number
  /** Asked again because the machine stood still meanwhile. */
  readonly repeated: number
}

type Batch = { readonly operation: Operation; readonly seed: number; readonly count: number }

/** A number of 32 bits for each pair of numbers, each as unlike the next as can be (splitmix32). */
const mixed = (seed: number, index: number): number => {
  let z = (seed + Math.imul(index + 1, 0x9e3779b9)) | 0
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad)
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
  return (z ^ (z >>> 15)) | 0
}

const batchOf = (operation: string): number => {
  if (SELDOM.has(operation)) return SELDOM_BATCH
  return OFTEN.has(operation) ? OFTEN_BATCH : BATCH
}

function* batchesOf(operations: readonly Operation[], seed: number, requests: number): Generator<Batch> {
  let left = requests
  for (let index = 0; left > 0; index++) {
    const operation = operations[index % operations.length]!
    const count = Math.min(left, batchOf(operation.name))
    left -= count
    yield { operation, seed: mixed(seed, index), count }
  }
}

export const fuzzRequests = async (
  target: Target,
  seed: number,
  requests: number,
  onProgress: (done: number, findings: number) => void = () => {},
): Promise<Report> => {
  const all = operationsOf(target.document)
  const operations = [
    ...all.filter(({ name }) => OFTEN.has(name)),
    ...all.filter(({ name }) => !OFTEN.has(name)),
  ]
  const sender = new Sender(target, CONNECTIONS)
  const seeds = new SeedWatch()
  const findings = new Map<string, Finding>()
  const counts: Counts = new Map()
  let done = 0

  const ask = async (
    operation: Operation,
    asked: Asked,
  ): Promise<{ outcome: Outcome; faults: string[]; curl: string }> => {
    const sent = prepare(target, operation, asked)
    const outcome = await sender.send(sent)
    const faults = faultsOf(operation, asked, sent, outcome, target.secrets)
    return { outcome, faults, curl: asCurl(target.server.url, sent) }
  }
  const run = async ({ operation, seed, count }: Batch): Promise<void> => {
    const all = fc.sample(requestsOf(operation), { seed, numRuns: count })
    for (const [index, asked] of all.entries()) {
      const { outcome, faults, curl } = await ask(operation, asked)
      tally(counts, operation.name, 'trouble' in outcome ? 'no answer' : String(outcome.status))
      if ('body' in outcome) {
        seeds.see(operation.name, outcome.body)
        if (faults.length === 0 && isPlain(asked, operation))
          target.learn(operation.name, outcome.status, outcome.body)
      }
      for (const fault of faults) note(operation.name, fault, seed, index, curl, outcome)
      onProgress(++done, findings.size)
    }
  }
  const note = (
    operation: string,
    fault: string,
    seed: number,
    index: number,
    curl: string,
    outcome: Outcome,
  ): void => {
    const key = `${operation} ${fault}`
    const before = findings.get(key)
    if (before) before.times++
    else if (findings.size < MOST_FINDINGS) {
      const answer =
        'trouble' in outcome ? outcome.trouble : `${outcome.status} ${outcome.body.slice(0, 600)}`
      findings.set(key, { operation, fault, seed, index, curl, answer, times: 1 })
    }
  }

  const batches = batchesOf(operations, seed, requests)
  const worker = async (): Promise<void> => {
    for (const batch of batches) await run(batch)
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, worker))
  sender.close()
  for (const fault of await afterwards(target, seeds))
    findings.set(fault, { operation: 'the server', fault, seed, index: 0, curl: '', answer: '', times: 1 })
  const { repeated } = sender
  return { requests: done, findings: [...findings.values()], counts, operations: operations.length, repeated }
}

/** What is wrong with the server when all is over. */
const afterwards = async (target: Target, seeds: SeedWatch): Promise<string[]> => {
  const { server, secrets } = target
  const faults: string[] = []
  if (server.program.hasEnded) return ['the server ended']
  const health = await fetch(`${server.url}/health`).catch(() => undefined)
  if (health?.status !== 200) faults.push(`/health answers ${health?.status}`)
  const answer = await fetch(`${server.url}/api/v1/rounds/?limit=100`)
  const { data } = (await answer.json()) as { data: { rounds: Parameters<SeedWatch['leaked']>[0] } }
  faults.push(...seeds.leaked(data.rounds))
  for (const message of new Set(server.errorsLogged)) faults.push(`logged as an error: ${message}`)
  for (const secret of secrets) if (server.output.includes(secret)) faults.push('a secret is in the log')
  for (const round of data.rounds)
    if (server.output.includes(seedOf(round))) faults.push('the seed of a round is in the log')
  if (/eyJ[\w-]+\.eyJ/.test(server.output)) faults.push('a token is in the log')
  return faults
}

const tally = (counts: Counts, name: string, status: string): void => {
  const own = counts.get(name) ?? new Map<string, number>()
  counts.set(name, own.set(status, (own.get(status) ?? 0) + 1))
}
