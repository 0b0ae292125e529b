import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { flameGraph } from '../../bench/flame.ts'
import { byFunction, byGroup, type CpuProfile } from '../../bench/profile.groups.ts'
import { inSources } from '../../bench/profile.sources.ts'

const at = (id: number, functionName: string, url = '', children: number[] = [], lineNumber = 9) => ({
  id,
  callFrame: { functionName, url, lineNumber },
  children,
})

/** A route of ours that writes by Node, a pool that writes by Node, a collection, and time in which nothing was done. */
const profile: CpuProfile = {
  startTime: 0,
  endTime: 10_000,
  nodes: [
    at(1, '(root)', '', [2, 4, 6, 7]),
    at(2, 'sell', 'file:///shop/src/http/racing/receipts.routes.ts', [3]),
    at(3, 'writev', ''),
    at(4, '_write', 'file:///shop/node_modules/pg/lib/connection.js', [5]),
    at(5, 'writeGeneric', 'node:net'),
    at(6, '(garbage collector)'),
    at(7, '(idle)'),
  ],
  samples: [2, 3, 5, 6, 7, 3],
  timeDeltas: [1_000, 2_000, 3_000, 500, 9_000, 1_000],
}

describe('what a profile says', () => {
  it('counts what Node does for somebody as his, and leaves out what was idle', () => {
    expect(byGroup(profile)).toEqual([
      { name: 'ours: http', ms: 4 },
      { name: 'Postgres and jobs in the process', ms: 3 },
      { name: 'garbage collector', ms: 0.5 },
    ])
  })

  it('names functions with their file and line', () => {
    expect(byFunction(profile)).toEqual([
      { name: 'writev', ms: 3 },
      { name: 'writeGeneric  node:net:10', ms: 3 },
      { name: 'sell  src/http/racing/receipts.routes.ts:10', ms: 1 },
      { name: '(garbage collector)', ms: 0.5 },
    ])
  })

  it('is drawn with a box for each function, as wide as its time', () => {
    const svg = flameGraph(profile)
    expect(svg.match(/<rect/g)).toHaveLength(6)
    expect(svg).toContain('sell  src/http/racing/receipts.routes.ts:10 — 4.0 ms, 53.3 %')
    expect(svg).not.toContain('(idle)')
  })

  it('is told by the files that were written, where the build left a map', () => {
    const home = mkdtempSync(join(tmpdir(), 'galop-profile-'))
    try {
      const built = join(home, 'dist', 'main.js')
      mkdirSync(join(home, 'dist'))
      // Line 2 of what was built begins with line 3 of the second source.
      const sources = ['../src/main.ts', '../node_modules/hono/dist/hono.js']
      writeFileSync(`${built}.map`, JSON.stringify({ version: 3, sources, names: [], mappings: 'AAAA;ACEA' }))
      const frame = { functionName: 'fetch', url: pathToFileURL(built).href, lineNumber: 1, columnNumber: 4 }
      const nodes = profile.nodes.map((node) => (node.id === 2 ? { ...node, callFrame: frame } : node))
      const told = inSources({ ...profile, nodes })
      expect(byFunction(told)).toContainEqual({ name: 'fetch  hono/dist/hono.js:3', ms: 1 })
      expect(byFunction(told)).toContainEqual({ name: 'writev', ms: 3 })
      expect(byGroup(told)).toContainEqual({ name: 'Hono and its server package', ms: 4 })
    } finally {
      rmSync(home, { recursive: true, force: true })
    }
  })
})
