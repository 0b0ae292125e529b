import { type CpuProfile, nameOf, type ProfileNode, selfTimes } from './profile.groups.ts'

// A flame graph as one SVG: a box is a function, as wide as the time in it and in what it called. Point at one to read it.

const WIDTH = 1_600
const ROW = 17
const NARROWEST = 0.5
const LETTER = 6.6

export const flameGraph = (profile: CpuProfile): string => {
  const byId = new Map(profile.nodes.map((node) => [node.id, node]))
  const self = selfTimes(profile)
  const totals = new Map<number, number>()
  const total = (node: ProfileNode): number => {
    let sum = self.get(node.id) ?? 0
    for (const child of node.children ?? []) sum += total(byId.get(child)!)
    totals.set(node.id, sum)
    return sum
  }
  const root = profile.nodes[0]!
  const all = total(root)
  const boxes: string[] = []
  let deepest = 0
  const draw = (node: ProfileNode, x: number, depth: number): void => {
    const us = totals.get(node.id)!
    const width = (us / all) * WIDTH
    if (width < NARROWEST) return
    deepest = Math.max(deepest, depth)
    const name = nameOf(node.callFrame)
    const shown = width > 3 * LETTER ? escaped(name.slice(0, Math.floor(width / LETTER))) : ''
    boxes.push(
      `<g><title>${escaped(name)} — ${(us / 1000).toFixed(1)} ms, ${((us / all) * 100).toFixed(1)} %</title>` +
        `<rect x="${x.toFixed(1)}" y="${depth * ROW}" width="${width.toFixed(1)}" height="${ROW - 1}" fill="${colourOf(name)}"/>` +
        `<text x="${(x + 2).toFixed(1)}" y="${depth * ROW + 12}">${shown}</text></g>`,
    )
    let from = x
    for (const id of node.children ?? []) {
      draw(byId.get(id)!, from, depth + 1)
      from += (totals.get(id)! / all) * WIDTH
    }
  }
  draw(root, 0, 0)
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${(deepest + 1) * ROW}" ` +
    `font-family="monospace" font-size="11">\n${boxes.join('\n')}\n</svg>\n`
  )
}

/** Ours are green, packages are orange, Node and V8 are grey. */
const colourOf = (name: string): string => {
  if (name.includes('  src/')) return '#9fce8f'
  return name.includes('  node:') || !name.includes('  ') ? '#cccccc' : '#f0b070'
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
