import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

// Reads an LMDB file without LMDB, which maps the file into memory: there a damaged page is a crash, not an error.
//   V1. Nothing is changed, and no damage ends the process: a number is checked before it is used.
//   V2. Every page of the newest state is looked at. One that is reached twice, or is in use and free, is a fault.
//   V3. What hangs on a damaged page is passed over; all the rest is still visited.

/** Hears of each pair of a named tree. The buffers are good during the call only. */
export type Visit = (tree: string, key: Buffer, value: Buffer) => void

const HEADER = 24
const BRANCH = 1
const LEAF = 2
const OVERFLOW = 4
const META = 8
/** Flags that matter on disk; the others are for pages in memory. */
const KINDS = 0x0fff
const MAGIC = 0xbeefc0de
const DATA_VERSION = 2
const BIG_DATA = 1
const SUB_TREE = 2
const NODE_HEADER = 8
const TREE_BYTES = 48
const NO_PAGE = 0xffff_ffff_ffff_ffffn
/** Deeper than any tree that fits a disk. */
const DEEPEST = 32
const LARGEST_MAP = 2 ** 44
const FREE_PAGES = 'free pages'
const NUMBERED_KEYS = 8
const MOST_FAULTS = 100

type Tree = {
  readonly flags: number
  readonly depth: number
  readonly branches: number
  readonly leaves: number
  readonly overflows: number
  readonly entries: number
  readonly root: number | undefined
}
type Meta = {
  readonly pageSize: number
  readonly lastPage: number
  readonly txn: number
  readonly free: Tree
  readonly main: Tree
}

/**
 * Visits all pairs of all named trees, one at each step, and says in the end what is wrong with the file: nothing, if it is
 * whole. Between two steps others may have their turn.
 */
export function* stepsThrough(path: string, visit: Visit): Generator<void, string[], void> {
  const fd = openSync(path, 'r')
  try {
    const walk = new Walk(fd, fstatSync(fd).size, visit)
    yield* walk.steps()
    return walk.faults
  } finally {
    closeSync(fd)
  }
}

type Steps = Generator<void, void, void>

class Walk {
  readonly faults: string[] = []
  readonly #fd: number
  readonly #size: number
  readonly #visit: Visit
  #pageSize = 0
  #lastPage = 0
  #used = new Uint8Array(0)
  /** One page for each depth of the tree that is being walked. */
  #pages: Buffer<ArrayBuffer>[] = []
  /** Of the long value that is looked at. */
  #long: Buffer<ArrayBuffer> = Buffer.alloc(0)

  constructor(fd: number, size: number, visit: Visit) {
    this.#fd = fd
    this.#size = size
    this.#visit = visit
  }

  *steps(): Steps {
    const meta = this.#newestMeta()
    if (!meta) return
    this.#pageSize = meta.pageSize
    this.#lastPage = meta.lastPage
    // Where the count of pages itself is damaged, no more are looked for than the file can hold.
    this.#used = new Uint8Array(Math.min(meta.lastPage, Math.ceil(this.#size / meta.pageSize)) + 1)
    const named: { readonly name: string; readonly tree: Tree }[] = []
    yield* this.#tree('main', meta.main, meta.txn, (key, value, isTree) => {
      const name = key.toString().replaceAll('\0', '')
      if (!isTree) return this.#fault(`a pair ${name} stands beside the trees`)
      const tree = value.length === TREE_BYTES ? treeAt(value, 0) : undefined
      if (tree) named.push({ name, tree })
      else this.#fault(`the tree ${name} has no root`)
    })
    for (const { name, tree } of named)
      yield* this.#tree(name, tree, meta.txn, (key, value) => this.#visit(name, key, value))
    yield* this.#tree(FREE_PAGES, meta.free, meta.txn, (_, value) => this.#freePages(value))
  }

  #fault(what: string): void {
    if (this.faults.length < MOST_FAULTS) this.faults.push(what)
    else if (this.faults.length === MOST_FAULTS) this.faults.push('and more')
  }

  #newestMeta(): Meta | undefined {
    const first = this.#meta(0, 0)
    const sizes = first ? [first.pageSize] : [4096, 8192, 16_384, 32_768, 65_536, 2048, 1024, 512]
    const second = sizes.map((size) => this.#meta(1, size)).find((meta) => meta !== undefined)
    if (!first || !second || first.pageSize !== second.pageSize)
      this.#fault(`page ${first && !second ? 1 : 0}, which tells where everything is, is damaged`)
    // Transaction n writes page n % 2. Two that do not follow each other: one of them is not what was written last.
    else if (first.txn !== 0 || second.txn !== 0) {
      const isInTurn = Math.abs(first.txn - second.txn) === 1 && first.txn % 2 === 0
      if (!isInTurn) this.#fault(`pages 0 and 1 tell of commits ${first.txn} and ${second.txn}`)
    }
    return first && second ? (first.txn > second.txn ? first : second) : (first ?? second)
  }

  #meta(number: number, pageSize: number): Meta | undefined {
    const page = this.#bytes(number * pageSize, HEADER + 160)
    if (!page || whole(page, 0) !== number || page.readUInt16LE(18) !== META) return undefined
    if (page.readUInt32LE(24) !== MAGIC || (page.readUInt32LE(28) & 0xffff) !== DATA_VERSION) return undefined
    const size = page.readUInt32LE(48)
    const isSize = size >= 512 && size <= 65_536 && (size & (size - 1)) === 0
    const lastPage = whole(page, 144)
    const txn = whole(page, 152)
    const free = treeAt(page, 48)
    const main = treeAt(page, 96)
    if (!isSize || (number > 0 && size !== pageSize) || !lastPage || txn === undefined || !free || !main)
      return undefined
    // A place in memory that was asked for, and how much of it: LMDB would believe both.
    if (whole(page, 32) !== 0 || (whole(page, 40) ?? LARGEST_MAP) >= LARGEST_MAP) return undefined
    return { pageSize: size, lastPage, txn, free, main }
  }

  #bytes(position: number, length: number, into = Buffer.allocUnsafe(length)): Buffer | undefined {
    if (position + length > this.#size) return undefined
    for (let read = 0; read < length; ) {
      const count = readSync(this.#fd, into, read, length - read, position + read)
      if (count === 0) return undefined
      read += count
    }
    return into
  }

  *#tree(name: string, tree: Tree, txn: number, leaf: LeafVisit): Steps {
    if (tree.root === undefined) {
      if (tree.entries > 0 || tree.depth > 0) this.#fault(`the tree ${name} has lost its root`)
      return
    }
    if (tree.flags !== (name === FREE_PAGES ? NUMBERED_KEYS : 0))
      return this.#fault(`the tree ${name} is of another kind`)
    if (tree.depth < 1 || tree.depth > DEEPEST) return this.#fault(`the tree ${name} has no depth`)
    const seen = { branches: 0, leaves: 0, overflows: 0, entries: 0 }
    const before = this.faults.length
    yield* this.#page({ name, txn, depth: tree.depth, seen, leaf, level: 0 }, tree.root)
    if (this.faults.length > before) return
    for (const what of ['branches', 'leaves', 'overflows', 'entries'] as const)
      if (seen[what] !== tree[what])
        this.#fault(`the tree ${name} should have ${tree[what]} ${what} and has ${seen[what]}`)
  }

  *#page(at: Place, number: number | undefined): Steps {
    const place = `page ${number} of the tree ${at.name}`
    if (!this.#take(number, 1)) return this.#fault(`${place} is not a page of its own`)
    this.#pages[at.level] ??= Buffer.allocUnsafe(this.#pageSize)
    const page = this.#bytes(number! * this.#pageSize, this.#pageSize, this.#pages[at.level]!)
    if (!page) return this.#fault(`${place} is beyond the end of the file`)
    const isLeaf = at.level === at.depth - 1
    const txn = whole(page, 8)
    if (whole(page, 0) !== number || (page.readUInt16LE(18) & KINDS) !== (isLeaf ? LEAF : BRANCH))
      return this.#fault(`${place} is something else`)
    // A page that changes is written anew, with all that lead to it: none is newer than the one above it.
    if (txn === undefined || txn > at.txn) return this.#fault(`${place} is of a later commit`)
    const lower = page.readUInt16LE(20)
    const upper = page.readUInt16LE(22)
    if (lower % 2 !== 0 || lower < 2 || lower > upper || upper > this.#pageSize - HEADER)
      return this.#fault(`${place} has no sound list of entries`)
    isLeaf ? at.seen.leaves++ : at.seen.branches++
    const here = { ...at, txn }
    const starts: number[] = []
    for (let i = 0; i < lower / 2; i++) starts.push(page.readUInt16LE(HEADER + 2 * i))
    let previous: Buffer | undefined
    for (const [i, start] of starts.entries()) {
      const node = this.#node(page, start, upper)
      if (!node) {
        this.#fault(`${place} has an entry that is none`)
        continue
      }
      if (at.name !== FREE_PAGES && (isLeaf || i > 0)) {
        if (previous && Buffer.compare(previous, node.key) >= 0)
          this.#fault(`${place} has entries out of order`)
        previous = node.key
      }
      if (isLeaf) {
        this.#leaf(here, place, node)
        yield
      } else yield* this.#page({ ...here, level: at.level + 1 }, node.child)
    }
  }

  #node(page: Buffer, start: number, upper: number): Node | undefined {
    const at = HEADER + start
    if (start < upper || start % 2 !== 0 || at + NODE_HEADER > this.#pageSize) return undefined
    const low = page.readUInt32LE(at)
    const flags = page.readUInt16LE(at + 4)
    const keyEnd = at + NODE_HEADER + page.readUInt16LE(at + 6)
    if (keyEnd > this.#pageSize) return undefined
    const key = page.subarray(at + NODE_HEADER, keyEnd)
    return { key, flags, bytes: low, child: flags * 2 ** 32 + low, rest: page.subarray(keyEnd) }
  }

  #leaf(at: Place, place: string, { key, flags, bytes, rest }: Node): void {
    const isBig = flags === BIG_DATA
    const isTree = flags === SUB_TREE
    const inPage = isBig ? HEADER : bytes
    if ((flags !== 0 && !isBig && !isTree) || inPage > rest.length)
      return this.#fault(`${place} has an entry that is none`)
    const value = isBig ? this.#overflow(at, rest, bytes) : rest.subarray(0, inPage)
    if (!value) return this.#fault(`${place} names a long value that is not there`)
    at.seen.entries++
    at.leaf(key, value, isTree)
  }

  #overflow(at: Place, where: Buffer, bytes: number): Buffer | undefined {
    const number = whole(where, 0)
    const pages = whole(where, 16)
    if (pages !== Math.floor((HEADER - 1 + bytes) / this.#pageSize) + 1) return undefined
    if (!this.#take(number, pages)) return undefined
    if (number! * this.#pageSize + HEADER + bytes > this.#size) return undefined
    if (this.#long.length < HEADER + bytes) this.#long = Buffer.allocUnsafe(pages * this.#pageSize)
    const all = this.#bytes(number! * this.#pageSize, HEADER + bytes, this.#long)
    if (!all || whole(all, 0) !== number || (all.readUInt16LE(18) & KINDS) !== OVERFLOW) return undefined
    const txn = whole(all, 8)
    if (all.readUInt32LE(20) !== pages || txn === undefined || txn > at.txn) return undefined
    at.seen.overflows += pages
    return all.subarray(HEADER, HEADER + bytes)
  }

  /** A list of free pages: its length, then numbers of pages, or a negative length and the first of so many. */
  #freePages(list: Buffer): void {
    const words = Math.floor(list.length / 8)
    const length = words > 0 ? whole(list, 0) : undefined
    if (length === undefined || length >= words) return this.#fault('a list of free pages is damaged')
    for (let i = 1; i <= length; i++) {
      const word = list.readBigInt64LE(8 * i)
      if (word === 0n) continue
      const count = word < 0n ? Number(-word) : 1
      if (word < 0n) i++
      const first = i <= length ? whole(list, 8 * i) : undefined
      if (first === undefined || first + count - 1 > this.#lastPage) {
        this.#fault('a list of free pages names one that is not there')
        return
      }
      for (let page = first; page < first + count; page++)
        if (this.#used[page] === 1) return this.#fault(`page ${page} is in use and free`)
    }
  }

  /** Marks pages as used, unless they are not there or somebody else's. */
  #take(number: number | undefined, count: number): boolean {
    if (number === undefined || number < 2 || number + count - 1 > this.#lastPage) return false
    for (let page = number; page < number + count; page++) if (this.#used[page] === 1) return false
    this.#used.fill(1, number, number + count)
    return true
  }
}

type LeafVisit = (key: Buffer, value: Buffer, isTree: boolean) => void
type Node = {
  readonly key: Buffer
  readonly flags: number
  /** Of the value. */
  readonly bytes: number
  readonly child: number
  /** What follows the key in the page. */
  readonly rest: Buffer
}
type Place = {
  readonly name: string
  /** The commit of the page above. */
  readonly txn: number
  readonly depth: number
  readonly level: number
  readonly seen: { branches: number; leaves: number; overflows: number; entries: number }
  readonly leaf: LeafVisit
}

/** A 64-bit number; `undefined` where it is larger than anything that is counted here. */
const whole = (page: Buffer, at: number): number | undefined => {
  const high = page.readUInt32LE(at + 4)
  return high < 0x20_0000 ? high * 2 ** 32 + page.readUInt32LE(at) : undefined
}

const treeAt = (page: Buffer, at: number): Tree | undefined => {
  const root = page.readBigUInt64LE(at + 40) === NO_PAGE ? undefined : whole(page, at + 40)
  const [branches, leaves, overflows, entries] = [8, 16, 24, 32].map((offset) => whole(page, at + offset))
  if (branches === undefined || leaves === undefined || overflows === undefined || entries === undefined)
    return undefined
  return {
    flags: page.readUInt16LE(at + 4),
    depth: page.readUInt16LE(at + 6),
    branches,
    leaves,
    overflows,
    entries,
    root,
  }
}
