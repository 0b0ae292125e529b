import { BlockList, isIP } from 'node:net'
import { getConnInfo } from '@hono/node-server/conninfo'
import type { Context } from 'hono'

// Where a request comes from.
//   W1. What a request says of its origin counts only where its connection comes from a trusted proxy.
//   W2. Who has one address of IPv6 has a whole /64 of them: limits count those as one.

export type Network = { has(address: string): boolean }
/** Reads a header by its name. */
export type HeadersOf = (name: string) => string | undefined

/** Addresses, subnets as `10.0.0.0/8`, and `loopback` for this machine. */
export const networkOf = (names: readonly string[]): Network => {
  const list = new BlockList()
  for (const name of names.flatMap((one) => (one === 'loopback' ? ['127.0.0.0/8', '::1'] : [one]))) {
    const [address, bits] = name.split('/') as [string, string?]
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    if (bits === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(bits), family)
  }
  return {
    has: (address) => {
      const plain = plainAddress(address)
      const version = isIP(plain)
      return version !== 0 && list.check(plain, version === 6 ? 'ipv6' : 'ipv4')
    },
  }
}

/** The address of whoever asks: that of the connection, or the last one that a trusted proxy did not add itself. */
export const clientAddress = (connection: string, header: HeadersOf, trusted: Network): string => {
  let address = plainAddress(connection)
  if (!trusted.has(address)) return address
  for (const hop of (header('x-forwarded-for') ?? '').split(',').reverse()) {
    const before = plainAddress(hop)
    if (isIP(before) === 0) break
    address = before
    if (!trusted.has(address)) break
  }
  return address
}

export type AddressOf = (c: Context) => string

export const addressesBehind =
  (trusted: Network): AddressOf =>
  (c) =>
    clientAddress(getConnInfo(c).remote.address ?? 'unknown', (name) => c.req.header(name), trusted)

/** What limits are counted by: an address of IPv4, or the first half of one of IPv6. */
export const limitKey = (address: string): string => {
  const plain = plainAddress(address)
  if (isIP(plain) !== 6) return plain
  const [head, tail] = plain
    .split('%')[0]!
    .split('::')
    .map((part) => part.split(':').filter(Boolean))
  const missing = tail === undefined ? 0 : 8 - head!.length - tail.length
  const groups = [...head!, ...Array<string>(Math.max(0, missing)).fill('0'), ...(tail ?? [])]
  return `${groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, '').toLowerCase())
    .join(':')}::/64`
}

/** Without what some write around it: a port, brackets, and IPv4 dressed as IPv6. */
const plainAddress = (written: string): string => {
  const text = written.trim()
  const bare = /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1] ?? /^(\d+(?:\.\d+){3}):\d+$/.exec(text)?.[1] ?? text
  return bare.replace(/^::ffff:(?=\d+\.)/i, '')
}
