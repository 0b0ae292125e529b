// Where the database is kept, and which OS user it belongs to.
//   H1. Postgres refuses to run as root. As root we run it as whoever owns the data, else as `postgres`.
//   H2. That user must be able to enter every parent of the data. Where it cannot, a new database is made
//       elsewhere, and a file `location` in the directory asked for names that place from then on.
//   H3. An existing database is never left aside for a new, empty one: what cannot be used is an error.
import { createHash, randomBytes } from 'node:crypto'
import { access, chmod, constants, mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import process from 'node:process'
import { lastLine, type OsUser, reasonOf, runCommand } from './postgres-command.ts'

/** `user` is undefined where Postgres runs as ourselves. */
export type PostgresHome = { readonly directory: string; readonly user: OsUser | undefined }

const sharedDirectory = '/var/lib/galop'
const systemUser = 'postgres'
const lookupLimitMs = 10_000
const changeLimitMs = 60_000

export const clusterOf = (home: string): string => join(home, 'cluster')

export const findPostgresHome = async (
  dataDirectory: string,
  say: (line: string) => void,
): Promise<PostgresHome> => {
  const asked = resolve(dataDirectory)
  await makeWritable(asked)
  const directory = await followLocation(asked)
  if (directory !== asked) say(`Postgres: the data of ${asked} are kept in ${directory}`)
  const cluster = clusterOf(directory)
  const owner = await ownerOf(cluster)
  if (process.getuid?.() !== 0) return homeOfOurselves(directory, owner)

  const user = owner !== undefined && owner.uid !== 0 ? await describeOwner(owner) : await findSystemUser()
  // Made by us, perhaps under a strict umask. What is secret is in `cluster`, which is for its owner only.
  await chmod(directory, 0o755)
  if (await canEnter(user, directory)) {
    if (owner?.uid === 0) await handOver(cluster, user)
    return { directory, user }
  }
  if (owner !== undefined)
    throw new Error(
      `the database is in ${directory}, which the user ${user.name} cannot enter: open the directories above to it (chmod o+x), or move the data`,
    )
  const elsewhere = await makeSharedHome(asked, user)
  say(`Postgres: the user ${user.name} cannot enter ${asked}, so the data are kept in ${elsewhere}`)
  return { directory: elsewhere, user }
}

const homeOfOurselves = (directory: string, owner: Owner | undefined): PostgresHome => {
  const uid = process.getuid?.()
  if (owner !== undefined && uid !== undefined && owner.uid !== uid)
    throw new Error(
      `the database in ${directory} belongs to the user number ${owner.uid}: start as that user, or as root`,
    )
  return { directory, user: undefined }
}

const makeWritable = async (directory: string): Promise<void> => {
  try {
    await mkdir(directory, { recursive: true })
    await access(directory, constants.W_OK | constants.X_OK)
  } catch (error) {
    throw new Error(
      `the data directory ${directory} cannot be written (${reasonOf(error)}): choose another one, or allow writing there`,
      { cause: error },
    )
  }
}

const locationFile = (asked: string) => join(asked, 'location')

const followLocation = async (asked: string): Promise<string> => {
  const location = await unlessMissing(readFile(locationFile(asked), 'utf8'))
  if (location === undefined) return asked
  const directory = location.trim()
  if ((await ownerOf(directory)) === undefined)
    throw new Error(
      `${locationFile(asked)} says that the database is in ${directory}, which is missing: put it back, or delete that file to begin with an empty database`,
    )
  return directory
}

/** A place of its own per directory asked for: who deletes that directory begins with an empty database. */
const makeSharedHome = async (asked: string, user: OsUser): Promise<string> => {
  const hash = createHash('sha256').update(asked).digest('hex').slice(0, 8)
  const directory = join(sharedDirectory, `${hash}-${randomBytes(3).toString('hex')}`)
  try {
    await mkdir(directory, { recursive: true })
    await chmod(sharedDirectory, 0o755)
    await chmod(directory, 0o755)
    if (!(await canEnter(user, directory))) throw new Error(`neither can it enter ${directory}`)
    await writeFile(locationFile(asked), `${directory}\n`)
  } catch (error) {
    throw new Error(
      `the user ${user.name} cannot enter ${asked}, and there is no other place (${reasonOf(error)}): choose a data directory that it can enter`,
      { cause: error },
    )
  }
  return directory
}

type Owner = { uid: number; gid: number }

const ownerOf = async (path: string): Promise<Owner | undefined> => {
  const found = await unlessMissing(stat(path))
  return found && { uid: found.uid, gid: found.gid }
}

const unlessMissing = async <Found>(reading: Promise<Found>): Promise<Found | undefined> => {
  try {
    return await reading
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

// Asked of the kernel instead of computed from modes: it also knows groups, access lists and mounts.
const canEnter = async (user: OsUser, directory: string): Promise<boolean> => {
  const asUser = { as: user, cwd: '/', limitMs: lookupLimitMs }
  try {
    return (await runCommand('/bin/sh', ['-c', 'cd -- "$1" && cd .', 'sh', directory], asUser)).code === 0
  } catch (error) {
    throw new Error(
      `no program can be run as the user ${user.name} (${reasonOf(error)}): start as another user than root`,
      { cause: error },
    )
  }
}

/** A database that root restored from a copy belongs to root, and no Postgres would open it. */
const handOver = async (cluster: string, user: OsUser): Promise<void> => {
  const { code, output } = await runCommand('chown', ['-R', `${user.uid}:${user.gid}`, cluster], asOurselves)
  if (code !== 0) throw new Error(`${cluster} cannot be given to the user ${user.name}: ${lastLine(output)}`)
}

const asOurselves = { cwd: '/', limitMs: changeLimitMs }

const findSystemUser = async (): Promise<OsUser> => {
  const found = await lookUp(systemUser)
  if (found !== undefined) return found
  const reason = await addSystemUser()
  const added = await lookUp(systemUser)
  if (added !== undefined) return added
  throw new Error(
    `Postgres does not run as root, and the user ${systemUser} cannot be added (${reason}): add it by hand, or start as another user than root`,
  )
}

const addSystemUser = async (): Promise<string> => {
  const options = [
    '--system',
    '--no-create-home',
    '--home-dir',
    '/nonexistent',
    '--shell',
    '/usr/sbin/nologin',
  ]
  try {
    return lastLine((await runCommand('useradd', [...options, systemUser], asOurselves)).output)
  } catch (error) {
    return `useradd: ${reasonOf(error)}`
  }
}

const lookUp = async (name: string): Promise<OsUser | undefined> => {
  const [uid, gid] = await Promise.all([askId('-u', name), askId('-g', name)])
  return uid === undefined || gid === undefined ? undefined : { name, uid: Number(uid), gid: Number(gid) }
}

const describeOwner = async ({ uid, gid }: Owner): Promise<OsUser> => ({
  name: (await askId('-un', String(uid))) ?? `number ${uid}`,
  uid,
  gid,
})

const askId = async (...args: string[]): Promise<string | undefined> => {
  const { code, output } = await runCommand('id', args, { cwd: '/', limitMs: lookupLimitMs })
  return code === 0 ? output : undefined
}
