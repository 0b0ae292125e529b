// Where controls are tried: a copy of the sources in a folder of its own, edited, and run as a program of its own.
import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import type { Control, Edit } from './controls.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

export type Finding = {
  readonly control: string
  /** The run that found it, counted from 1; `undefined` where none did. */
  readonly run: number | undefined
  readonly invariant: string | undefined
  readonly output: string
}

/** An edit must find its text, exactly once. */
export const edited = (text: string, { file, find, replace }: Edit): string => {
  const places = text.split(find).length - 1
  if (places !== 1)
    throw new Error(
      `${file} holds the text of a control ${places} times, and should once: ${JSON.stringify(find)}`,
    )
  return text.replace(find, () => replace)
}

/** Puts the fault in, and runs the simulation until it is found or has had its runs. */
export const tryControl = async (control: Control): Promise<Finding> => {
  const folder = mkdtempSync(join(tmpdir(), 'galop-control-'))
  try {
    for (const part of ['src', 'sim', 'package.json', 'tsconfig.json'])
      cpSync(join(ROOT, part), join(folder, part), { recursive: true })
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'), 'junction')
    for (const edit of control.edits) {
      const path = join(folder, edit.file)
      writeFileSync(path, edited(readFileSync(path, 'utf8'), edit))
    }
    const output = await run(folder, ['--runs', String(control.withinRuns), '--seed', '1'])
    const found = /^FAILED seed (\d+): (S\d+):/m.exec(output)
    return {
      control: control.name,
      run: found ? Number(found[1]) : undefined,
      invariant: found?.[2],
      output,
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The simulation of a folder, to its end. @returns what it printed */
export const run = (folder: string, args: readonly string[]): Promise<string> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--import', 'tsx', 'sim/main.ts', ...args], { cwd: folder })
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (data: Uint8Array) => {
        output += data.toString()
      })
    child.on('error', reject)
    child.on('close', () => resolve(output))
  })
