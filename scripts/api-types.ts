// Writes web/api.d.ts from what the built server says of itself: `npm run api-types`.
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { ROOT, startServer } from '../tests/support/server.ts'
import { type Document, typesOf } from './openapi.types.ts'

spawnSync(process.execPath, [join(ROOT, 'scripts', 'build.mjs')], { stdio: 'inherit' })
const server = await startServer()
try {
  const file = join(ROOT, 'web', 'api.d.ts')
  writeFileSync(file, typesOf((await (await fetch(`${server.url}/openapi.json`)).json()) as Document))
  const biome = join(ROOT, 'node_modules', '@biomejs', 'biome', 'bin', 'biome')
  spawnSync(process.execPath, [biome, 'format', '--write', file], { cwd: ROOT, stdio: 'inherit' })
} finally {
  await server.stop()
}
