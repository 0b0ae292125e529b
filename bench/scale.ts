import process from 'node:process'

// `node --import tsx bench/scale.ts [name=value …]`: how many nodes a network of shops needs, how long a sale takes there,
// and what is away for how long when a node dies. Simulated from a seed; docs/scale.md argues each number that goes in.
//   1. Tracks are the unit of ownership: all of a track's sales go to the node that holds its lease.
//   2. A node is one queue: each sale takes its share of a processor, then waits for the commit it leaves with.
//   3. Sockets are spread over all nodes, whatever tracks they follow: telling one costs a processor where it hangs.

export type Plan = {
  readonly tracks: number
  readonly salesPerSecond: number
  readonly sockets: number
  /** Messages that each socket gets in a second. */
  readonly messagesPerSocket: number
  /** Measured on one node; processor time in microseconds. */
  readonly saleUs: number
  readonly storeUs: number
  readonly messageUs: number
  readonly livePerTrack: number
  readonly foldUs: number
  /** Assumed: how long a shared commit takes, typically; one in a hundred takes `commitTail` times as long. */
  readonly commitMs: number
  readonly commitTail: number
  /** Assumed: a lease runs out so long after the last word of its holder, and is looked for so often. */
  readonly leaseMs: number
  readonly lookEveryMs: number
  /** Share of a processor that may be busy, so that one node's work finds room on the others. */
  readonly busyShare: number
  readonly cores: number
  readonly seed: number
}

/** A network of 200 shops. Times of processors are rough figures of one machine with two cores: measure your own. */
export const PLAN: Plan = {
  tracks: 200,
  salesPerSecond: 20_000,
  sockets: 20_000,
  messagesPerSocket: 3,
  saleUs: 60,
  storeUs: 120,
  messageUs: 1,
  livePerTrack: 5_000,
  foldUs: 5,
  commitMs: 2,
  commitTail: 10,
  leaseMs: 5_000,
  lookEveryMs: 1_000,
  busyShare: 0.6,
  cores: 2,
  seed: 1,
}

export type Outcome = {
  readonly nodes: number
  /** Of the fullest node's event loop, which decides and speaks on one processor. */
  readonly busiest: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** When a node dies: tracks that stand still, for how long, and how busy the fullest of the others is then. */
  readonly death: {
    readonly tracks: number
    readonly typicalMs: number
    readonly worstMs: number
    readonly busiestThen: number
  }
}

/** Numbers from 0 to 1 that are the same from the same seed (mulberry32). */
const chanceOf = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Sales of each track: some shops are busier than others, the busiest some five times as busy as the middle one. */
const loadsOf = ({ tracks, salesPerSecond }: Plan, chance: () => number): number[] => {
  const weights = Array.from({ length: tracks }, () => Math.exp(0.7 * normal(chance)))
  const sum = weights.reduce((total, weight) => total + weight, 0)
  return weights.map((weight) => (salesPerSecond * weight) / sum)
}
const normal = (chance: () => number): number =>
  Math.sqrt(-2 * Math.log(1 - chance())) * Math.cos(2 * Math.PI * chance())

/** Gives each track to the node that has least, the busiest track first. @returns sales per second and tracks of each */
const place = (loads: readonly number[], nodes: number): { sales: number; tracks: number[] }[] => {
  const placed = Array.from({ length: nodes }, () => ({ sales: 0, tracks: [] as number[] }))
  const order = loads.map((_, track) => track).sort((a, b) => loads[b]! - loads[a]!)
  for (const track of order) {
    const least = placed.reduce((one, other) => (other.sales < one.sales ? other : one))
    least.sales += loads[track]!
    least.tracks.push(track)
  }
  return placed
}

/** Share of one processor that deciding and speaking take, and of all of them with what follows behind. */
const busyOf = (plan: Plan, sales: number, nodes: number): { loop: number; all: number } => {
  const told = (plan.sockets / nodes) * plan.messagesPerSocket * plan.messageUs
  const loop = (sales * plan.saleUs + told) / 1e6
  return { loop, all: (loop + (sales * plan.storeUs) / 1e6) / plan.cores }
}
const fullest = (plan: Plan, placed: readonly { sales: number }[]): number =>
  Math.max(
    ...placed.map(({ sales }) => {
      const { loop, all } = busyOf(plan, sales, placed.length)
      return Math.max(loop, all)
    }),
  )

/** The fewest nodes that carry the plan, and still do when one of them is gone. */
const nodesFor = (plan: Plan, loads: readonly number[]): number => {
  for (let nodes = 2; nodes <= plan.tracks + 1; nodes++)
    if (fullest(plan, place(loads, nodes - 1)) <= plan.busyShare) return nodes
  throw new RangeError(
    'one track alone is more than a node carries: it has to be parted, or a node made faster',
  )
}

/** Sales on one node, one after another; what arrives while a commit is under way leaves with the next. */
const latencies = (
  plan: Plan,
  sales: number,
  nodes: number,
  chance: () => number,
  count = 100_000,
): number[] => {
  const told = busyOf(plan, 0, nodes).loop
  const serviceMs = plan.saleUs / 1_000 / (1 - told)
  const found: number[] = []
  const commitMs = (): number => plan.commitMs * (chance() < 0.01 ? plan.commitTail : 0.7 + 0.6 * chance())
  let now = 0
  let decidedAt = 0
  /** The latest commit that was begun, or will be when the one before it ends. */
  let begin = 0
  let end = 0
  for (let i = 0; i < count; i++) {
    now += (-Math.log(1 - chance()) * 1_000) / sales
    decidedAt = Math.max(decidedAt, now) + serviceMs
    if (decidedAt > begin) {
      begin = Math.max(decidedAt, end)
      end = begin + commitMs()
    }
    found.push(end - now)
  }
  return found.sort((a, b) => a - b)
}

export const simulate = (plan: Plan): Outcome => {
  const chance = chanceOf(plan.seed)
  const loads = loadsOf(plan, chance)
  const nodes = nodesFor(plan, loads)
  const placed = place(loads, nodes)
  const most = placed.reduce((one, other) => (other.sales > one.sales ? other : one))
  const times = latencies(plan, most.sales, nodes, chance)
  const at = (share: number): number => times[Math.floor(times.length * share)]!
  // Who was told last when it died, when the others look, and how the dead one's tracks are shared among them.
  const takenBy = Math.ceil(most.tracks.length / (nodes - 1))
  const foldMs = (takenBy * plan.livePerTrack * plan.foldUs) / 1_000
  const deaths = Array.from(
    { length: 1_000 },
    () =>
      plan.leaseMs - plan.lookEveryMs * chance() + plan.lookEveryMs * chance() + foldMs + 2 * plan.commitMs,
  ).sort((a, b) => a - b)
  return {
    nodes,
    busiest: fullest(plan, placed),
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    death: {
      tracks: most.tracks.length,
      typicalMs: deaths[500]!,
      worstMs: deaths.at(-1)!,
      busiestThen: fullest(plan, place(loads, nodes - 1)),
    },
  }
}

/** A plan with some of its numbers changed: `tracks=50 commitMs=5`. @throws Error where there is no such number */
export const planOf = (changes: readonly string[]): Plan => {
  const plan: Record<string, number> = { ...PLAN }
  for (const change of changes) {
    const [name = '', text] = change.split('=')
    if (!(name in plan) || !(Number(text) > 0))
      throw new Error(`"${change}": give name=number, with one of ${Object.keys(plan).join(', ')}`)
    plan[name] = Number(text)
  }
  return plan as Plan
}

if (process.argv[1] === import.meta.filename) {
  const plan = planOf(process.argv.slice(2))
  const { nodes, busiest, p50Ms, p99Ms, death } = simulate(plan)
  const percent = (share: number): string => `${Math.round(100 * share)} %`
  console.log(
    `${plan.tracks} tracks, ${plan.salesPerSecond} sales/s, ${plan.sockets} sockets, seed ${plan.seed}`,
  )
  console.log(`nodes          ${nodes}, one of them to spare; the fullest is ${percent(busiest)} busy`)
  console.log(`a sale         ${p50Ms.toFixed(1)} ms in the middle, ${p99Ms.toFixed(1)} ms at p99`)
  console.log(
    `a node dies    ${death.tracks} tracks stand still for ${(death.typicalMs / 1_000).toFixed(1)} s, ${(death.worstMs / 1_000).toFixed(1)} s at worst; ` +
      `then the fullest is ${percent(death.busiestThen)} busy`,
  )
}
