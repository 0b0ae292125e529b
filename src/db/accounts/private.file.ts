import { mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import process from 'node:process'

/**
 * Writes a file that nobody else may read. After a crash at any point it holds the old text or the new one, whole.
 * One process writes one path, one write after another.
 */
export const writePrivateFile = async (path: string, text: string): Promise<void> => {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const temporary = `${path}.tmp`
  await rm(temporary, { force: true })
  const file = await open(temporary, 'wx', 0o600)
  try {
    await file.writeFile(text, 'utf8')
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, path)
  await syncDirectory(dirname(path))
}

/** Without this the new name itself may be lost with the power. Windows opens no directories, and needs none. */
export const syncDirectory = async (path: string): Promise<void> => {
  if (process.platform === 'win32') return
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}
