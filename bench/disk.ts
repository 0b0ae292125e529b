import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { middle } from './table.ts'

/**
 * How long this disk takes to make a page durable: the median of so many times writing 4 KiB at the end of a file in
 * `directory` and waiting for `fdatasync`. In milliseconds.
 */
export const fdatasyncMs = (directory: string, times: number): number => {
  const file = join(directory, 'fdatasync.probe')
  const page = Buffer.alloc(4_096, 1)
  const handle = openSync(file, 'w')
  try {
    return middle(
      Array.from({ length: times }, () => {
        const began = performance.now()
        writeSync(handle, page)
        fdatasyncSync(handle)
        return performance.now() - began
      }),
    )
  } finally {
    closeSync(handle)
    rmSync(file)
  }
}
