import { describe, expect, it } from 'vitest'
import { commitmentOf, drawOrder, seedChain } from '../../../src/domain/racing/draw.ts'
import { DEFAULT_FIELD } from '../../../src/domain/racing/field.ts'
import { checkProof, type Proof } from '../../../src/domain/racing/proof.ts'

const INDEX = 6
const seeds = seedChain('ab'.repeat(32), 10)
const seed = seeds[INDEX]!
const right: Proof = {
  roundId: 42,
  commitment: commitmentOf(seed),
  chain: { anchor: commitmentOf(seeds[0]!), index: INDEX },
  field: DEFAULT_FIELD,
  seed,
  order: drawOrder(seed, 42, DEFAULT_FIELD),
  voided: false,
}

describe('the proof of a round', () => {
  it('is right where the server told the truth, place by place', () => {
    const checked = checkProof(right, right.commitment)!
    expect(checked.isRight).toBe(true)
    expect(checked.places.map(({ number }) => number)).toEqual(right.order)
    expect(checked.places[0]!.chances).toBe(1_000)
    expect(checked.chain.hashes).toBe(INDEX + 1)
  })

  it.each([
    ['another seed', { seed: seeds[INDEX + 1]! }, 'commitment'],
    ['another commitment', { commitment: seed }, 'commitment'],
    ['another place in the chain', { chain: { ...right.chain, index: INDEX - 1 } }, 'chain'],
    ['another anchor', { chain: { anchor: seed, index: INDEX } }, 'chain'],
    ['another order', { order: [...right.order!].reverse() }, 'order'],
    ['no order', { order: null }, 'order'],
    ['another round', { roundId: 47 }, 'order'],
  ] as const)('is wrong with %s', (_, changes, where) => {
    const checked = checkProof({ ...right, ...changes })!
    expect(checked.isRight).toBe(false)
    expect(checked[where]!.isRight).toBe(false)
  })

  it('is wrong where the server names another commitment than the one that was kept', () => {
    const checked = checkProof(right, commitmentOf(right.commitment))!
    expect(checked.kept!.isRight).toBe(false)
    expect(checked.isRight).toBe(false)
  })

  it('waits for the seed, asks no order of a voided round, and refuses what is no proof', () => {
    expect(checkProof({ ...right, seed: null, order: null })).toBeUndefined()
    expect(checkProof({ ...right, order: null, voided: true })).toMatchObject({
      isRight: true,
      order: undefined,
    })
    expect(() => checkProof({ ...right, seed: 'not a seed' })).toThrow(RangeError)
    expect(() => checkProof({ ...right, chain: { ...right.chain, index: -1 } })).toThrow(RangeError)
    expect(() => checkProof({ ...right, field: [] })).toThrow(RangeError)
  })
})
