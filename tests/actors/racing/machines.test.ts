import { describe, expect, it } from 'vitest'
import { machinesPage, writtenPage } from '../../../scripts/diagram.ts'

describe('docs/machines.md', () => {
  it('shows the machines as they are; `node --import tsx scripts/diagram.ts` draws them again', () => {
    expect(writtenPage()).toBe(machinesPage())
  })

  it('shows where each state of a round leads', () => {
    const page = machinesPage()
    expect(page).toContain('waiting --> betting_locked: BettingLocked')
    expect(page).toContain('betting_locked --> running: RaceStarted')
    expect(page).toContain('running --> settled: RoundSettled')
  })
})
