// The simulation itself: honest runs find nothing, a seed is a run, and each fault put in on purpose is found.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { describe, expect, it } from 'vitest'
import { CONTROLS } from '../../sim/controls/controls.ts'
import { edited, run, tryControl } from '../../sim/controls/workshop.ts'
import { FAULTS } from '../../sim/faults.ts'
import { commandOf, ROOT } from '../support/server.ts'

const HONEST_RUNS = 300
const COMPARED = ['--runs', '12', '--seed', '1', '--hashes']
const LONG_MS = 600_000

const hashesIn = (output: string): string[] =>
  output.split('\n').filter((line) => /^seed \d+ [0-9a-f]{16}$/.test(line))

describe('the simulation', () => {
  it(`finds nothing in ${HONEST_RUNS} runs, and says what it did`, { timeout: LONG_MS }, async () => {
    const output = await run(ROOT, ['--runs', String(HONEST_RUNS), '--seed', '1'])
    expect(output).not.toContain('FAILED')
    const last = output.trimEnd().split('\n').at(-1)
    expect(last).toMatch(
      /^300 runs, \d+ commands, .* checks of invariants; .*; trace [0-9a-f]{8}; .* runs a second$/,
    )
    // What never happened was not attacked.
    for (const seen of [
      'cached rounds compared',
      'keys used again',
      'retired rounds compared',
      'streams taken up again',
    ])
      expect(last).toMatch(new RegExp(`\\b\\d{3,} × ${seen}`))
    for (const fault of FAULTS) expect(last).toMatch(new RegExp(`\\d × ${fault}[,;]`))
  })

  it('does the same again from the same seed, on Node and on Deno', { timeout: LONG_MS }, async () => {
    const first = hashesIn(await run(ROOT, COMPARED))
    expect(first).toHaveLength(12)
    expect(new Set(first.map((line) => line.split(' ')[2])).size).toBe(12)
    expect(hashesIn(await run(ROOT, COMPARED))).toEqual(first)
    const { command } = JSON.parse(readFileSync(join(ROOT, 'deno.json'), 'utf8')).tasks.sim as {
      command: string
    }
    const [, deno, ...args] = command.split(' ')
    expect(deno).toBe('deno')
    const output = execFileSync(commandOf('deno')[0]!, [...args, ...COMPARED], {
      cwd: ROOT,
      encoding: 'utf8',
      env: { ...process.env, NO_COLOR: '1' },
    })
    expect(hashesIn(output)).toEqual(first)
  })
})

describe('a fault put in on purpose', () => {
  it.each(CONTROLS)('is found: $name', { timeout: LONG_MS }, async (control) => {
    const { run: found, invariant, output } = await tryControl(control)
    expect(found, output.slice(-2_000)).toBeGreaterThan(0)
    expect(found).toBeLessThanOrEqual(control.withinRuns)
    expect(control.foundBy, output.slice(0, 2_000)).toContain(invariant)
    expect(output).toContain(`repeat it: npm run sim -- --runs 1 --seed ${found}`)
    expect(output).toContain('the same when repeated')
  })

  it('that finds no place in the sources is an error, and so is one that finds two', () => {
    const edit = { file: 'one.ts', find: 'a', replace: 'b' }
    expect(edited('xax', edit)).toBe('xbx')
    expect(() => edited('xxx', edit)).toThrow('0 times')
    expect(() => edited('axa', edit)).toThrow('2 times')
  })
})
