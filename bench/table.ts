import type { Comparison, Row } from './row.ts'

// The table at the end: a line for each comparison, in Markdown.

export type Measured = {
  readonly row: Pick<Row, 'number' | 'work'>
  readonly comparisons: readonly Comparison[]
  /** Why there are none, or not all. */
  readonly fault?: string
}

export type Outcome = {
  readonly ratio: number
  readonly lowest: number
  readonly highest: number
  readonly isReached: boolean
}

/** @throws Error where the figures are none: a row that measured nothing must not look like one that did */
export const outcomeOf = ({ what, against, ours, theirs, reach }: Comparison): Outcome => {
  const isWhole = ours.length > 0 && ours.length === theirs.length
  const isSane = [...ours, ...theirs].every((value) => Number.isFinite(value) && value > 0)
  if (!isWhole || !isSane)
    throw new Error(
      `${what ?? 'the comparison'} with ${against} has no sane figures: ours ${ours.join(', ')}; theirs ${theirs.join(', ')}`,
    )
  const ratios = ours.map((value, turn) => value / theirs[turn]!)
  const ratio = middle(ratios)
  const isReached = 'atLeast' in reach ? ratio >= reach.atLeast : ratio <= reach.atMost
  return { ratio, lowest: Math.min(...ratios), highest: Math.max(...ratios), isReached }
}

/** The median: of an even number the mean of the two in the middle. */
export const middle = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length / 2
  return Number.isInteger(half) ? (sorted[half - 1]! + sorted[half]!) / 2 : sorted[Math.floor(half)]!
}

/** Three digits that count, thousands apart: `12,300`, `8.25`, `0.051`. */
export const figure = (value: number): string => {
  if (value === 0 || !Number.isFinite(value)) return String(value)
  if (Math.abs(value) >= 1_000) return Math.round(value).toLocaleString('en-US')
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))))
  return value.toFixed(Math.min(digits, 6))
}

const HEAD = [
  '| # | work | against | ours | theirs | ratio | spread | reach | reached | notes |',
  '|---|---|---|---|---|---|---|---|---|---|',
]

export const tableOf = (measured: readonly Measured[]): string =>
  [...HEAD, ...measured.flatMap(({ row, comparisons, fault }) => linesOf(row, comparisons, fault))].join('\n')

const linesOf = (row: Measured['row'], comparisons: readonly Comparison[], fault?: string): string[] => [
  ...comparisons.map((one) => lineOf(row, one)),
  ...(fault === undefined
    ? []
    : [cells([row.number, row.work, '', '', '', '', '', '', '**failed**', fault])]),
]

const lineOf = (row: Measured['row'], one: Comparison): string => {
  const { ratio, lowest, highest, isReached } = outcomeOf(one)
  return cells([
    row.number,
    one.what ?? row.work,
    one.against,
    `${figure(middle(one.ours))} ${one.unit}`,
    `${figure(middle(one.theirs))} ${one.unit}`,
    `**${figure(ratio)}**`,
    `${figure(lowest)}–${figure(highest)}`,
    'atLeast' in one.reach ? `≥ ${one.reach.atLeast}` : `≤ ${one.reach.atMost}`,
    isReached ? 'yes' : '**no**',
    one.notes.join('; '),
  ])
}

const cells = (values: readonly (string | number)[]): string =>
  `| ${values.map((value) => String(value).replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`
