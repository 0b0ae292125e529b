import fc from 'fast-check'
import { expect, it } from 'vitest'
import { seedChain } from '../../../src/domain/racing/draw.ts'
import { hashingInJavaScript } from '../../../src/domain/racing/hashing.ts'
import { receiptNumbers } from '../../../src/domain/racing/receipt-number.ts'
import { hashingOfRuntime } from '../../../src/hashing.ts'

const bytes = fc.uint8Array({ maxLength: 200 })
const hex = (hash: Uint8Array): string => Buffer.from(hash).toString('hex')

it('gives the same hashes in JavaScript and by the runtime', () => {
  fc.assert(
    fc.property(bytes, bytes, bytes, (key, one, other) => {
      expect(hex(hashingOfRuntime.sha256(one))).toBe(hex(hashingInJavaScript.sha256(one)))
      const [here, there] = [hashingOfRuntime.hmac(key), hashingInJavaScript.hmac(key)]
      for (const message of [one, other, one]) expect(hex(here(message))).toBe(hex(there(message)))
    }),
  )
})

it('leaves the numbers of receipts and the seeds of races what they were', () => {
  const key = 'c3'.repeat(32)
  const [here, there] = [receiptNumbers('07', key, hashingOfRuntime), receiptNumbers('07', key)]
  for (const counter of [0, 1, 4_711, 999_999, 1_000_000, 5_000_000])
    expect(here(counter)).toBe(there(counter))
  expect([0, 1, 4_711].map(there)).toMatchInlineSnapshot(`
    [
      7322090,
      7533476,
      7971189,
    ]
  `)
  expect(seedChain(key, 100, hashingOfRuntime)).toEqual(seedChain(key, 100))
  expect(seedChain(key, 100)[0]).toMatchInlineSnapshot(
    `"bdf0cd43365b582584681997999f9c12eed5170c1dce525247537eccda1fcfa1"`,
  )
})
