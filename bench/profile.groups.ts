// What a CPU profile of V8 says, added up: by function, and by where in the program the time goes.

export type CpuProfile = {
  readonly nodes: readonly ProfileNode[]
  readonly startTime: number
  readonly endTime: number
  readonly samples?: readonly number[]
  /** Microseconds between a sample and the one before. */
  readonly timeDeltas?: readonly number[]
}
export type ProfileNode = {
  readonly id: number
  readonly callFrame: Frame
  readonly children?: readonly number[]
}
export type Frame = {
  readonly functionName: string
  readonly url: string
  readonly lineNumber: number
  readonly columnNumber?: number
}

export type Share = { readonly name: string; readonly ms: number }

/**
 * Where the time goes, by the nearest caller that tells: what Node or V8 do for somebody counts as his. The first that
 * fits counts, so the order matters. Names of functions are those of V8, which are no part of any file.
 */
const GROUPS: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['garbage collector', /^\(garbage collector\)/],
  ['not in JavaScript: system calls, V8 itself', /^\(program\)/],
  ['Postgres and jobs in the process', /node_modules\/(bullmq|pg|pg-\w+|postgres|ioredis|msgpackr)\//],
  ['journal: LMDB', /node_modules\/(lmdb|ordered-binary|weak-lru-cache)\//],
  ['checking of input: valibot', /node_modules\/valibot\//],
  ['Hono and its server package', /node_modules\/(hono|@hono)\//],
  ['state machines: xstate', /node_modules\/xstate\//],
  ['sockets: ws', /node_modules\/ws\//],
  ['other packages', /node_modules\//],
  ['ours: http', /src\/http\//],
  ['ours: actors', /src\/actors\//],
  ['ours: domain', /src\/domain\//],
  ['ours: db', /src\/db\//],
  ['ours: jobs', /src\/jobs\//],
  ['ours: app and main', /src\//],
  ['Node: HTTP parsing and writing', /node:(_http|http|net|internal\/(http|stream_base|streams))/],
]
const OTHER = 'Node: everything else'

/** Microseconds that were spent in each node itself, idle time left out. */
export const selfTimes = ({ nodes, samples = [], timeDeltas = [] }: CpuProfile): Map<number, number> => {
  const idle = new Set(
    nodes.filter(({ callFrame }) => callFrame.functionName === '(idle)').map(({ id }) => id),
  )
  const times = new Map<number, number>()
  samples.forEach((id, i) => {
    if (!idle.has(id)) times.set(id, (times.get(id) ?? 0) + (timeDeltas[i] ?? 0))
  })
  return times
}

const parentsOf = (nodes: readonly ProfileNode[]): Map<number, ProfileNode> => {
  const parents = new Map<number, ProfileNode>()
  for (const node of nodes) for (const child of node.children ?? []) parents.set(child, node)
  return parents
}

const groupOf = (node: ProfileNode, parents: ReadonlyMap<number, ProfileNode>): string => {
  let fallback: string | undefined
  for (let at: ProfileNode | undefined = node; at; at = parents.get(at.id)) {
    const { url, functionName } = at.callFrame
    const group = GROUPS.find(([, pattern]) => pattern.test(url || functionName))?.[0]
    // Node's own layers are named only where nobody above them is: a write of the pool of Postgres is the pool's.
    if (group !== undefined && !group.startsWith('Node')) return group
    fallback ??= group
  }
  return fallback ?? OTHER
}

export const byGroup = (profile: CpuProfile): Share[] => {
  const byId = new Map(profile.nodes.map((node) => [node.id, node]))
  const parents = parentsOf(profile.nodes)
  return added(profile, (id) => groupOf(byId.get(id)!, parents))
}

/** By function, with its file and line: paths begin at the package, or at `src`. */
export const byFunction = (profile: CpuProfile): Share[] => {
  const byId = new Map(profile.nodes.map((node) => [node.id, node]))
  return added(profile, (id) => nameOf(byId.get(id)!.callFrame))
}

export const nameOf = ({ functionName, url, lineNumber }: Frame): string => {
  const name = functionName === '' ? '(anonymous)' : functionName
  if (url === '') return name
  const place = url.replace(/^.*\/(node_modules\/|(?=src\/))/, '')
  return `${name}  ${place}:${lineNumber + 1}`
}

const added = (profile: CpuProfile, keyOf: (id: number) => string): Share[] => {
  const sums = new Map<string, number>()
  for (const [id, us] of selfTimes(profile)) {
    const key = keyOf(id)
    sums.set(key, (sums.get(key) ?? 0) + us / 1000)
  }
  return [...sums].map(([name, ms]) => ({ name, ms })).sort((a, b) => b.ms - a.ms)
}
