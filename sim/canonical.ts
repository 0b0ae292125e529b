/** JSON with the members of objects in the order of their names: the same for what is the same. */
export const canonical = (value: unknown): string => JSON.stringify(inOrder(value)) ?? 'undefined'

const inOrder = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(inOrder)
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(members.map(([name, one]) => [name, inOrder(one)]))
}
