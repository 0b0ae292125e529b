/** Of LMDB. */
const PAGE = 4096

/** What can become of the bytes of a file. `random` gives a whole number below its argument. */
export type Damage = (bytes: Buffer, random: (below: number) => number) => Buffer
export const DAMAGES: Readonly<Record<string, Damage>> = {
  'a bit that turned': (bytes, random) => {
    bytes[random(bytes.length)]! ^= 1 << random(8)
    return bytes
  },
  'a bit that turned in the pages that lead to all others': (bytes, random) => {
    bytes[random(2) * PAGE + random(176)]! ^= 1 << random(8)
    return bytes
  },
  'a sector of something else': (bytes, random) => {
    const start = 512 * random(bytes.length / 512)
    return bytes.fill(random(256), start, start + 512)
  },
  'a page of zeros': (bytes, random) => {
    const start = PAGE * random(bytes.length / PAGE)
    return bytes.fill(0, start, start + PAGE)
  },
  'a page that was written in the place of another': (bytes, random) => {
    const [from, to] = [random(bytes.length / PAGE), random(bytes.length / PAGE)]
    bytes.copy(bytes, PAGE * to, PAGE * from, PAGE * (from + 1))
    if (random(2) === 0) bytes.writeBigUInt64LE(BigInt(to), PAGE * to)
    return bytes
  },
  'a file that was cut short': (bytes, random) => bytes.subarray(0, random(bytes.length)),
  'a file that lost its end': (bytes, random) =>
    bytes.subarray(0, bytes.length - 1 - random(bytes.length / 4)),
}
