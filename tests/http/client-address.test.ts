import { describe, expect, it } from 'vitest'
import { clientAddress, limitKey, networkOf } from '../../src/http/client-address.ts'

describe('a network', () => {
  it.each([
    ['loopback', '127.0.0.1', true],
    ['loopback', '127.9.9.9', true],
    ['loopback', '::1', true],
    ['loopback', '::ffff:127.0.0.1', true],
    ['loopback', '10.0.0.1', false],
    ['10.0.0.0/8', '10.200.3.4', true],
    ['10.0.0.0/8', '11.0.0.1', false],
    ['192.0.2.7', '192.0.2.7', true],
    ['192.0.2.7', '192.0.2.8', false],
    ['2001:db8::/32', '2001:db8:1::7', true],
    ['2001:db8::/32', '2001:db9::7', false],
    ['loopback', 'unknown', false],
    ['loopback', '', false],
  ])('of %s and the address %s: %s', (name, address, isIn) => {
    expect(networkOf([name]).has(address)).toBe(isIn)
  })

  it('of nothing has nobody', () => {
    expect(networkOf([]).has('127.0.0.1')).toBe(false)
  })
})

describe('the address of a client', () => {
  const trusted = networkOf(['loopback', '10.0.0.0/8'])
  const seen = (connection: string, forwarded?: string) =>
    clientAddress(connection, (name) => (name === 'x-forwarded-for' ? forwarded : undefined), trusted)

  it.each([
    ['192.0.2.1', undefined, '192.0.2.1'],
    ['192.0.2.1', '198.51.100.9', '192.0.2.1'],
    ['10.0.0.1', '198.51.100.9', '198.51.100.9'],
    ['::ffff:10.0.0.1', '198.51.100.9', '198.51.100.9'],
    ['10.0.0.1', 'forged, 198.51.100.9', '198.51.100.9'],
    ['10.0.0.1', '203.0.113.1, 198.51.100.9, 10.0.0.2', '198.51.100.9'],
    ['10.0.0.1', '198.51.100.9:4711', '198.51.100.9'],
    ['10.0.0.1', '[2001:db8::7]:4711', '2001:db8::7'],
    ['10.0.0.1', 'not an address', '10.0.0.1'],
    ['10.0.0.1', '198.51.100.9, <script>', '10.0.0.1'],
    ['10.0.0.1', undefined, '10.0.0.1'],
    ['unknown', '198.51.100.9', 'unknown'],
  ])('that came by %s with %s is %s', (connection, forwarded, address) => {
    expect(seen(connection, forwarded)).toBe(address)
  })
})

describe('what limits are counted by', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:1:2:ffff::1', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['unknown', 'unknown'],
  ])('is for %s %s', (address, key) => {
    expect(limitKey(address)).toBe(key)
  })
})
