import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { FanoutOptions, Heard } from './fanout.load.ts'
import { cpuSecondsOf, pause } from './observe.ts'

// The process of those who listen, as a row sees it.

export type Receivers = {
  readonly pid: number
  /** Counts from then on. */
  begin(): Promise<void>
  /** What was heard since then. */
  report(): Promise<Heard>
  say(message: string): void
  end(): Promise<void>
}

/** Resolves when all are open. */
export const openReceivers = async (options: FanoutOptions): Promise<Receivers> => {
  const child: ChildProcess = spawn(
    process.execPath,
    ['--import', 'tsx', join(import.meta.dirname, 'fanout.load.ts'), JSON.stringify(options)],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  )
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const next = async (): Promise<string> => {
    const { value, done } = await lines.next()
    if (done) throw new Error('those who listen have ended')
    return value
  }
  await next()
  return {
    pid: child.pid!,
    begin: async () => {
      child.stdin!.write('begin\n')
      await next()
    },
    report: async () => {
      child.stdin!.write('report\n')
      return JSON.parse(await next()) as Heard
    },
    say: (message) => child.stdin!.write(`say ${message}\n`),
    end: async () => {
      child.stdin!.end()
      await ended
    },
  }
}

export type Delivered = Heard & {
  /** Messages for each second of the server's processor. */
  readonly perCpuSecond: number
  /** How much of one processor the server took, and those who listen. */
  readonly cpuShare: number
  readonly listenersShare: number
  /** Seconds of processor of those who listen. */
  readonly listenersCpu: number
}

/**
 * What a server delivered from the beginning of `work`, which takes so long, until the last message came.
 * @throws Error where a socket did not hear all, or something else
 */
export const deliver = async (
  server: { readonly pid: number },
  receivers: Receivers,
  durationMs: number,
  work: () => Promise<unknown>,
): Promise<Delivered> => {
  await receivers.begin()
  const before = { server: cpuSecondsOf(server.pid), listeners: cpuSecondsOf(receivers.pid) }
  await work()
  let heard = await receivers.report()
  let cpu = 0
  let listeners = 0
  for (let seen = -1; heard.messages > seen; heard = await receivers.report()) {
    seen = heard.messages
    cpu = cpuSecondsOf(server.pid) - before.server
    listeners = cpuSecondsOf(receivers.pid) - before.listeners
    await pause(300)
  }
  seenToBeWhole(heard)
  return {
    ...heard,
    perCpuSecond: heard.messages / cpu,
    cpuShare: (cpu * 1000) / durationMs,
    listenersShare: (listeners * 1000) / durationMs,
    listenersCpu: listeners,
  }
}

/** @throws Error where a socket did not hear all, or something else */
const seenToBeWhole = ({ messages, gaps, wrong, firstWrong, looked, least, most }: Heard): void => {
  if (wrong > 0) throw new Error(`${wrong} messages were not what they have to be, the first: ${firstWrong}`)
  if (gaps > 0) throw new Error(`${gaps} messages were missing or out of order`)
  if (messages === 0 || looked === 0) throw new Error('nothing was heard')
  if (least.messages !== most.messages)
    throw new Error(`one heard ${least.messages} messages, another ${most.messages}`)
  if (least.bytes !== most.bytes) throw new Error(`one heard ${least.bytes} bytes, another ${most.bytes}`)
}
