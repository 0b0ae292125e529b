import { statfs } from 'node:fs/promises'
import type { Sql } from './postgres.ts'

/** Bytes that may still be written where a directory is. */
export const freeBytes = async (directory: string): Promise<number> => {
  const { bavail, bsize } = await statfs(directory)
  return bavail * bsize
}

/** How far a clock is ahead of that of Postgres. The answer took its time: it is wrong by half of that at most. */
export const clockAhead = async (
  sql: Sql,
  now: () => number,
): Promise<{ aheadMs: number; uncertainMs: number }> => {
  const asked = now()
  const [row] = await sql<{ at: Date }[]>`select clock_timestamp() as at`
  const answered = now()
  const uncertainMs = Math.abs(answered - asked) / 2
  return { aheadMs: asked + uncertainMs - row!.at.getTime(), uncertainMs }
}
