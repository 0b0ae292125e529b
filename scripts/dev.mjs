// The server from its sources, restarted at every change of src; and the pages, built anew at every change of web: reload
// the browser then.
import { spawn } from 'node:child_process'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'
import config from '../web/vite.config.mjs'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const tsx = join(root, 'node_modules', 'tsx', 'dist', 'cli.mjs')
const server = spawn(process.execPath, [tsx, 'watch', 'src/main.ts'], { cwd: root, stdio: 'inherit' })
const pages = await build({
  ...config,
  logLevel: 'info',
  build: { ...config.build, outDir: join(root, 'dist', 'web'), emptyOutDir: false, watch: {} },
})

// Ctrl-C reaches both by itself; a SIGTERM must be handed on.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => server.kill('SIGTERM'))
server.on('exit', (code) => {
  void pages.close()
  process.exitCode = code ?? 1
})
