import { describe, expect, it } from 'vitest'
import { PLAN, type Plan, planOf, simulate } from '../../bench/scale.ts'

const small: Plan = { ...PLAN, tracks: 20, salesPerSecond: 4_000, sockets: 1_000 }

describe('the plan past one machine', () => {
  it('is the same from the same seed, and another from another', () => {
    expect(simulate(small)).toEqual(simulate(small))
    expect(simulate({ ...small, seed: 2 })).not.toEqual(simulate(small))
  })

  it('keeps every node below what it may be busy, also when one is gone', () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const { busiest, death } = simulate({ ...small, seed })
      expect(busiest).toBeLessThanOrEqual(death.busiestThen)
      expect(death.busiestThen).toBeLessThanOrEqual(small.busyShare)
    }
  })

  it('needs more nodes for more sales, for slower sales and for more sockets', () => {
    const { nodes } = simulate(small)
    expect(simulate({ ...small, salesPerSecond: 12_000 }).nodes).toBeGreaterThan(nodes)
    expect(simulate({ ...small, saleUs: 3 * small.saleUs }).nodes).toBeGreaterThan(nodes)
    expect(simulate({ ...small, sockets: 400_000 }).nodes).toBeGreaterThan(nodes)
  })

  it('takes at least a commit for a sale, and is slower where commits are', () => {
    const fast = simulate(small)
    const slow = simulate({ ...small, commitMs: 10 })
    expect(fast.p50Ms).toBeGreaterThan(0.7 * small.commitMs)
    expect(fast.p99Ms).toBeGreaterThan(fast.p50Ms)
    expect(slow.p50Ms / fast.p50Ms).toBeGreaterThan(3)
  })

  it('lets tracks stand still until their lease ran out, and no longer than a look and a fold after that', () => {
    const { typicalMs, worstMs } = simulate(small).death
    expect(typicalMs).toBeGreaterThan(small.leaseMs - small.lookEveryMs)
    expect(worstMs).toBeLessThan(small.leaseMs + small.lookEveryMs + 5_000)
    expect(simulate({ ...small, livePerTrack: 100_000 }).death.typicalMs).toBeGreaterThan(typicalMs)
  })

  it('says where one track is more than a node carries', () => {
    expect(() => simulate({ ...small, tracks: 1, salesPerSecond: 20_000 })).toThrow('one track alone')
  })

  it('takes changes by name, and refuses what is none', () => {
    expect(planOf(['tracks=7', 'commitMs=0.5'])).toEqual({ ...PLAN, tracks: 7, commitMs: 0.5 })
    for (const wrong of ['tracks', 'trucks=7', 'tracks=x', 'tracks=0'])
      expect(() => planOf([wrong])).toThrow()
  })
})
