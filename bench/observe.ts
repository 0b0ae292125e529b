import { readFileSync } from 'node:fs'

// What can be seen of a server from outside.

/** A figure of `/metrics`, which this machine may read without signing in. */
export const figureOf = async (port: number, name: string): Promise<number> => {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  const value = text
    .split('\n')
    .find((line) => line.startsWith(`${name} `))
    ?.slice(name.length + 1)
  if (value === undefined) throw new Error(`there is no figure ${name}`)
  return Number(value)
}

/** Waits until a figure is as wanted. */
export const untilFigure = async (
  port: number,
  name: string,
  isReached: (value: number) => boolean,
  withinMs = 120_000,
): Promise<void> => {
  const until = Date.now() + withinMs
  for (;;) {
    const value = await figureOf(port, name)
    if (isReached(value)) return
    if (Date.now() > until) throw new Error(`${name} is ${value} after ${withinMs} ms`)
    // Each look costs the server some milliseconds.
    await pause(200)
  }
}

/** Seconds that a process has spent on a processor, its own and the system's for it. */
export const cpuSecondsOf = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND
}
/** `sysconf(_SC_CLK_TCK)` of every Linux that Node runs on. */
const TICKS_A_SECOND = 100

export const residentBytesOf = (pid: number): number =>
  1024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
