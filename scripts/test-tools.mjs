// The two programs that some tests drive and npm does not ship: a Redis server and a Chromium.
//   T1. A missing one is installed where that is allowed, or asked for by name; nothing is skipped.
//   T2. Installing starts no service, and leaves alone the one that was running.
import { spawn, spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, readFileSync, realpathSync } from 'node:fs'
import { delimiter, join } from 'node:path'

const probeTimeoutMs = 30_000
const policyFile = '/usr/sbin/policy-rc.d'
const policy = '#!/bin/sh\ncase "$1" in redis*) exit 101 ;; esac\nexit 0\n'

const tools = [
  {
    name: 'a Redis server',
    variable: 'REDIS_SERVER_PATH',
    debianPackage: 'redis-server',
    commands: ['redis-server'],
    otherPlaces: () => [],
  },
  {
    name: 'a Chromium browser',
    variable: 'CHROMIUM_PATH',
    debianPackage: 'chromium',
    commands: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'],
    otherPlaces: playwrightBrowsers,
  },
]

/** The paths by name of variable. Throws an Error with one line for a human when that cannot be. */
export async function provideTools(say) {
  const found = new Map(tools.map((tool) => [tool, findTool(tool)]))
  const missing = tools.filter((tool) => found.get(tool).path === undefined)
  if (missing.length > 0) {
    const prefix = refuseOrGetPrefix(missing, found)
    say(
      `installing Debian's ${packagesOf(missing).join(' and ')}, which some tests need (this takes a minute)`,
    )
    await install(packagesOf(missing), prefix)
    for (const tool of missing) found.set(tool, findTool(tool))
  }
  return Object.fromEntries(
    tools.map((tool) => {
      const { path, why } = found.get(tool)
      if (path === undefined) throw new Error(`${tool.name} is installed but does not run: ${why}`)
      return [tool.variable, path]
    }),
  )
}

function findTool(tool) {
  const asked = process.env[tool.variable]
  if (asked) {
    const why = whyNotRunnable(asked)
    if (why) throw new Error(`${tool.variable} is set, but ${why}`)
    return { path: asked }
  }
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean)
  const candidates = [
    ...tool.commands.flatMap((command) => folders.map((folder) => join(folder, command))),
    ...tool.otherPlaces(),
  ].filter((path) => existsSync(path))
  let why
  for (const path of candidates) {
    const reason = whyNotRunnable(path)
    if (reason === undefined) return { path }
    why ??= reason
  }
  return { why: why ?? 'it was not found' }
}

function playwrightBrowsers() {
  const folder = process.env.PLAYWRIGHT_BROWSERS_PATH ?? join(process.env.HOME ?? '/', '.cache/ms-playwright')
  if (!existsSync(folder)) return []
  const probe = `import('playwright-core').then((p) => console.log(p.chromium.executablePath()))`
  const run = spawnSync(process.execPath, ['-e', probe], { encoding: 'utf8', timeout: probeTimeoutMs })
  return run.status === 0 ? [run.stdout.trim()] : []
}

function whyNotRunnable(path) {
  try {
    accessSync(path, constants.X_OK)
  } catch {
    return `${path} is not a program that this user may run`
  }
  const run = spawnSync(path, ['--version'], { encoding: 'utf8', timeout: probeTimeoutMs })
  if (run.status === 0) return undefined
  return isSnap(path) ? `${path} only stands for a snap that is not installed` : `${path} --version fails`
}

function isSnap(path) {
  const real = realpathSync(path)
  if (real.startsWith('/snap/') || real.endsWith('/snap')) return true
  const start = readFileSync(real).subarray(0, 4096).toString('latin1')
  return start.startsWith('#!') && /\bsnap\b/.test(start)
}

function packagesOf(missing) {
  return missing.map((tool) => tool.debianPackage)
}

// Ubuntu's `chromium` package is a stub that wants a snap, which a container or a CI machine cannot install.
function refuseOrGetPrefix(missing, found) {
  const names = missing.map((tool) => tool.name).join(' and ')
  const reasons = missing
    .filter((tool) => found.get(tool).why !== 'it was not found')
    .map((tool) => ` (${found.get(tool).why})`)
    .join('')
  const system = distribution()
  const sudo = process.getuid?.() === 0 ? '' : 'sudo '
  if (system === 'ubuntu' && missing.some((tool) => tool.debianPackage === 'chromium')) {
    const others = packagesOf(missing).filter((name) => name !== 'chromium')
    const apt = others.map((name) => `\`${sudo}apt-get install ${name}\` and `).join('')
    throw new Error(
      `the tests need ${names}${reasons}; Ubuntu's chromium is a snap, so run ${apt}` +
        `\`${sudo}npx playwright-core install-deps chromium && npx playwright-core install chromium\`, ` +
        'or install Google Chrome, or set CHROMIUM_PATH to a Chromium that runs',
    )
  }
  if (system === 'other') {
    const variables = missing.map((tool) => tool.variable).join(' and ')
    throw new Error(
      `the tests need ${names}${reasons}; install them with this system's package manager, or set ${variables}`,
    )
  }
  if (process.getuid?.() === 0) return []
  if (spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0) return ['sudo', '-n']
  throw new Error(
    `the tests need ${names}${reasons}; run ` +
      `\`${sudo}apt-get update && ${sudo}apt-get install --no-install-recommends ${packagesOf(missing).join(' ')}\``,
  )
}

function distribution() {
  if (!existsSync('/etc/os-release') || spawnSync('apt-get', ['--version']).status !== 0) return 'other'
  const release = readFileSync('/etc/os-release', 'utf8')
  if (/^ID=["']?ubuntu/m.test(release) || /^ID_LIKE=.*\bubuntu\b/m.test(release)) return 'ubuntu'
  return /^ID=["']?debian/m.test(release) || /^ID_LIKE=.*\bdebian\b/m.test(release) ? 'debian' : 'other'
}

async function install(packages, prefix) {
  const apt = ['env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-qq', '-o', 'DPkg::Lock::Timeout=300']
  await run([...prefix, ...apt, 'update'])
  await withoutServices(prefix, () =>
    run([...prefix, ...apt, 'install', '-y', '--no-install-recommends', ...packages]),
  )
}

async function withoutServices(prefix, work) {
  const wasRunning = isRedisServiceRunning()
  const ownPolicy = !existsSync(policyFile)
  // A Ctrl-C ends apt-get; this program lives on to take its guard away.
  const stay = () => {}
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, stay)
  try {
    if (ownPolicy) await run([...prefix, 'sh', '-c', `printf '${shellText(policy)}' > ${policyFile}`])
    if (ownPolicy) await run([...prefix, 'chmod', '755', policyFile])
    await work()
  } finally {
    if (ownPolicy) await run([...prefix, 'rm', '-f', policyFile])
    for (const signal of ['SIGINT', 'SIGTERM']) process.off(signal, stay)
  }
  if (wasRunning) return
  if (isRedisServiceRunning()) await run([...prefix, 'service', 'redis-server', 'stop'])
  if (existsSync('/run/systemd/system')) await run([...prefix, 'systemctl', '-q', 'disable', 'redis-server'])
}

function shellText(text) {
  return text.replaceAll('\n', '\\n').replaceAll("'", `'\\''`)
}

function isRedisServiceRunning() {
  return spawnSync('service', ['redis-server', 'status'], { stdio: 'ignore' }).status === 0
}

/** Runs quietly; shows what the command said only when it failed. */
function run([command, ...args]) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    child.stdout.on('data', (data) => {
      output += data
    })
    child.stderr.on('data', (data) => {
      output += data
    })
    child.on('error', (cause) => reject(new Error(`${command} could not be started`, { cause })))
    child.on('close', (code) => {
      const line = [command, ...args].join(' ')
      if (code === 0) resolve()
      else reject(new Error(`this command failed, run it by hand: ${line}\n${output.trim()}`))
    })
  })
}
