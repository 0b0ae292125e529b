import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { afterEach, describe, expect, it } from 'vitest'
import { holderOf, takeDataDirectory } from '../../src/db/data-directory.ts'

const TURNS = 6
const AT_ONCE = 4
/** Until all of them have started and wait for the moment. */
const READY_MS = 1_500

let directory: string
afterEach(() => rmSync(directory, { recursive: true, force: true }))
const home = (): string => {
  directory = mkdtempSync(join(tmpdir(), 'galop-directory-'))
  return directory
}

describe('a data directory', () => {
  it('is refused while another process holds it, and named', () => {
    const data = home()
    writeFileSync(join(data, 'server.pid.3'), `${process.ppid}`)
    writeFileSync(join(data, 'server.pid.2'), '999999 1')
    expect(holderOf(data)).toBe(process.ppid)
    expect(() => takeDataDirectory(data)).toThrow(`another server (process ${process.ppid}) uses`)
    expect(readdirSync(data).sort()).toEqual(['server.pid.2', 'server.pid.3'])
  })

  it.each(['999999 1', `${process.ppid} 1`, ''])('is taken over where its last mark says "%s"', (mark) => {
    const data = home()
    writeFileSync(join(data, 'server.pid.8'), mark)
    const taken = takeDataDirectory(data)
    expect(readdirSync(data)).toEqual(['server.pid.9'])
    taken.release()
    expect(readFileSync(join(data, 'server.pid.9'), 'utf8')).toBe('')
  })

  it('is taken by one alone of several that start at the same moment after a crash', async () => {
    for (let turn = 0; turn < TURNS; turn++) {
      const data = home()
      writeFileSync(join(data, 'server.pid.1'), '999999 1')
      const program = `
        const { takeDataDirectory } = await import(${JSON.stringify(import.meta.resolve('../../src/db/data-directory.ts'))})
        while (Date.now() < ${Date.now() + READY_MS});
        try { takeDataDirectory(${JSON.stringify(data)}); console.log('took'); setInterval(() => {}, 1_000) }
        catch (error) { console.log(error.message) }`
      const tsx = import.meta.resolve('tsx')
      const all = Array.from({ length: AT_ONCE }, () =>
        spawn(process.execPath, ['--import', tsx, '--input-type=module', '-e', program]),
      )
      const said = await Promise.all(
        all.map(
          (one) => new Promise<string>((resolve) => one.stdout.on('data', (data) => resolve(`${data}`))),
        ),
      )
      for (const one of all) one.kill('SIGKILL')
      expect(said.filter((text) => text.startsWith('took'))).toHaveLength(1)
      expect(said.filter((text) => text.startsWith('another server'))).toHaveLength(AT_ONCE - 1)
      rmSync(data, { recursive: true, force: true })
    }
  }, 120_000)
})
