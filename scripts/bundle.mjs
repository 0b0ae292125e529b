// The server as a few files instead of several hundred, which a start would look for and read one by one: ours, and those of
// the packages that it cannot do without. What comes later (the queues, their board) stays where npm put it.
import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const programs = ['main', 'verify', 'verify-round']
/** They look for files of their own beside themselves, or are loaded once receipts are sold. */
const packagesOnTheirOwn = [/^lmdb$/, /^bullmq$/, /^ioredis$/, /^pg$/, /^@bull-board\//]

/**
 * Writes the programs of src, each under its own name, and what they share. `change` may put other text in the place of a file's.
 * @param {string} into
 * @param {(path: string, text: string) => string} [change]
 */
export async function bundleServer(into, change) {
  const found = programs.map((name) => join(root, 'src', `${name}.ts`)).filter(existsSync)
  const bundle = await rolldown({
    cwd: root,
    input: found,
    platform: 'node',
    external: packagesOnTheirOwn,
    plugins: change && [
      { name: 'change', transform: (text, path) => ({ code: change(path, text), map: null }) },
    ],
    logLevel: 'warn',
  })
  try {
    await bundle.write({
      dir: into,
      format: 'esm',
      sourcemap: true,
      minify: false,
      entryFileNames: '[name].js',
      chunkFileNames: '[name].js',
    })
  } finally {
    await bundle.close()
  }
}
