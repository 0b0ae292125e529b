// Checks the types of src and bundles it into dist, with the migrations beside; builds the pages of web into dist/web. Silent on success, and done in a moment when nothing changed.
//   B1. dist is whole or absent: a build is made beside it and takes its place by a rename.
//   B2. The stamp in dist names every input (path, size, time); as long as it is true there is nothing to do.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const src = join(root, 'src')
const web = join(root, 'web')
const dist = join(root, 'dist')
const stampFile = join(dist, '.stamp')
/** Read by the program at its run, from beside itself. */
const migrations = /\.sql$/
const settings = [
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'scripts/build.mjs',
  'scripts/bundle.mjs',
]

function filesUnder(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort()
}

function stampOf(files) {
  const hash = createHash('sha256')
  for (const file of files) {
    const { size, mtimeMs } = statSync(file)
    hash.update(`${relative(root, file)} ${size} ${mtimeMs}\n`)
  }
  return hash.digest('hex')
}

function isFresh(stamp) {
  const main = !existsSync(join(src, 'main.ts')) || existsSync(join(dist, 'main.js'))
  return main && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp
}

async function typesAreRight() {
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  if (!existsSync(tsc)) return fail('the TypeScript compiler is not installed: run `npm ci` first')
  const { status, output } = await run([tsc, '-p', 'tsconfig.build.json'])
  return status === 0 || fail(`the sources do not compile\n${output}`)
}

async function buildServer(into) {
  if (!existsSync(join(root, 'node_modules', 'rolldown')))
    return fail('rolldown is not installed: run `npm ci` first')
  const { bundleServer } = await import('./bundle.mjs')
  try {
    await bundleServer(into)
    return true
  } catch (error) {
    return fail(`the server cannot be bundled\n${error.message}`)
  }
}

function run(args) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output += text
      })
    }
    child.on('error', reject)
    child.on('close', (status, signal) => resolve({ status, output: output.trim() || `ended by ${signal}` }))
  })
}

async function buildPages(into) {
  if (!existsSync(join(root, 'node_modules', 'vite')))
    return fail('vite is not installed: run `npm ci` first')
  const { build } = await import('vite')
  const { default: config } = await import(pathToFileURL(join(web, 'vite.config.mjs')))
  try {
    await build({ ...config, build: { ...config.build, outDir: into, emptyOutDir: false } })
    return true
  } catch (error) {
    return fail(`the pages do not build\n${error.message}`)
  }
}

function fail(why) {
  console.error(`build: ${why}`)
  return false
}

// Two builds may run at once (`npm start` beside `npm test`): whoever comes second tries again.
function takePlace(next) {
  for (let attempt = 1; ; attempt++) {
    const old = `${next}-old-${attempt}`
    try {
      if (existsSync(dist)) renameSync(dist, old)
      renameSync(next, dist)
      rmSync(old, { recursive: true, force: true })
      return
    } catch (cause) {
      rmSync(old, { recursive: true, force: true })
      if (attempt === 5) throw new Error('build: dist could not be replaced', { cause })
    }
  }
}

async function build() {
  const sources = filesUnder(src)
  const stamp = stampOf([...settings.map((name) => join(root, name)), ...sources, ...filesUnder(web)])
  if (isFresh(stamp)) return true

  // Source maps name their sources by relative path, so the place of the build is a sibling of dist.
  const next = join(root, `.dist-${process.pid}`)
  rmSync(next, { recursive: true, force: true })
  mkdirSync(next)
  try {
    writeFileSync(join(next, '.gitignore'), '*\n')
    const parts = [typesAreRight(), buildServer(next), buildPages(join(next, 'web'))]
    if ((await Promise.all(parts)).includes(false)) return false
    for (const file of sources.filter((name) => migrations.test(name)))
      cpSync(file, join(next, 'migrations', basename(file)))
    writeFileSync(join(next, '.stamp'), stamp)
    takePlace(next)
    return true
  } finally {
    rmSync(next, { recursive: true, force: true })
  }
}

process.exitCode = (await build()) ? 0 : 1
