import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

// What Galop is measured against has a package of its own, which is installed when a row needs it first.

export const PEERS = new URL('peers/', import.meta.url).pathname

/** Installs the peers unless those of the lock are there. */
export const installPeers = (say: (line: string) => void): void => {
  if (isInstalled()) return
  say('installing the peers: npm ci in bench/peers')
  execFileSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: PEERS, stdio: 'inherit' })
}

type Lock = { readonly packages: Readonly<Record<string, { readonly version?: string }>> }

const isInstalled = (): boolean => {
  const installed = join(PEERS, 'node_modules/.package-lock.json')
  if (!existsSync(installed)) return false
  const { packages } = JSON.parse(readFileSync(installed, 'utf8')) as Lock
  const wanted = JSON.parse(readFileSync(join(PEERS, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>
  }
  return Object.entries(wanted.dependencies).every(
    ([name, version]) => packages[`node_modules/${name}`]?.version === version,
  )
}
