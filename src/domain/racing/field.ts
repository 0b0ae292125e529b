import * as v from 'valibot'

// The field: who runs, and how likely each is to win. Chances are whole weights; only their ratio counts.

const name = v.pipe(v.string(), v.trim(), v.nonEmpty(), v.maxLength(40))

export const Entry = v.strictObject({
  number: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(99)),
  name,
  chance: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1_000_000)),
})
export type Entry = v.InferOutput<typeof Entry>

/** What the file that names the field holds: `[{ "number": 1, "name": "Éclair", "chance": 352 }, …]`. */
export const Field = v.pipe(
  v.array(Entry),
  v.minLength(2, 'a field needs at least 2 participants'),
  v.maxLength(30, 'a field has at most 30 participants'),
  v.check(
    (field) => new Set(field.map((entry) => entry.number)).size === field.length,
    'a number stands twice',
  ),
)

/** Chances in thousandths: at a return of 0.88 they give 2.50, 4.00, 5.50, 8.00, 10.00 and 12.57. */
export const DEFAULT_FIELD: readonly Entry[] = [
  { number: 1, name: 'Cheval 1', chance: 352 },
  { number: 2, name: 'Cheval 2', chance: 220 },
  { number: 3, name: 'Cheval 3', chance: 160 },
  { number: 4, name: 'Cheval 4', chance: 110 },
  { number: 5, name: 'Cheval 5', chance: 88 },
  { number: 6, name: 'Cheval 6', chance: 70 },
]
