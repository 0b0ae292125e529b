import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

const web = dirname(fileURLToPath(import.meta.url))

// Each file is kept compressed too: the server only hands out what it finds.
const compress = {
  name: 'compress',
  writeBundle({ dir }, files) {
    for (const name of Object.keys(files)) {
      const file = join(dir, name)
      writeFileSync(`${file}.gz`, gzipSync(readFileSync(file), { level: 9 }))
    }
  },
}

// One entry per page. Old PCs and television boxes run it, so what they do not know is written in older words.
export default {
  root: web,
  configFile: false,
  logLevel: 'warn',
  clearScreen: false,
  plugins: [compress],
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    target: ['chrome70', 'firefox78', 'safari13'],
    modulePreload: { polyfill: false },
    // A data: address is not what the content policy lets a page load.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    rolldownOptions: {
      input: readdirSync(web)
        .filter((name) => name.endsWith('.html'))
        .map((name) => join(web, name)),
    },
  },
}
