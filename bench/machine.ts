import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'

// What figures belong to, and what one process has used of it.

/** Read before anything is started, so that the load is that of others. */
export const machineLine = (): string => {
  const [one] = cpus()
  const load = loadavg()[0]!.toFixed(2)
  return `commit ${commit()}, Node ${process.versions.node}, ${cpus().length} cores (${one?.model.trim() ?? 'unknown'}), load at the start ${load}`
}

const commit = (): string => {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  try {
    const isChanged = git('status', '--porcelain', '--untracked-files=no') !== ''
    return `${git('rev-parse', '--short', 'HEAD')}${isChanged ? ' with changes' : ''}`
  } catch {
    return 'unknown'
  }
}

const TICKS_A_SECOND = 100

/** Seconds of CPU that a process has used so far, in user space and in the kernel, all its threads. */
export const cpuSeconds = (pid: number): number => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND
}

/** Memory of a process that is in RAM. */
export const residentMb = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
