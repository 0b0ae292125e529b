// Who may import whom: the table of the five rooms, and the few habits that a reader relies on.
// A port is a `*.port.ts`: the words that one room uses to ask another for something.
import { readdirSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { dirname, join, posix, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

type RoomRule = { sources: RegExp[]; packages: string[] | 'any'; builtins: boolean }

const domain = /^src\/domain\//
const actorsPorts = /^src\/actors\/.*\.port\.ts$/
const anyPorts = /^src\/[a-z]+\/.*\.port\.ts$/
const answersOfDb = /^src\/db\/.*\.(queries|cache)\.ts$/

const rooms: Record<string, RoomRule> = {
  domain: { sources: [domain], packages: ['valibot', '@noble/hashes'], builtins: false },
  actors: { sources: [domain, /^src\/actors\//], packages: ['xstate'], builtins: false },
  db: { sources: [domain, actorsPorts, /^src\/db\//], packages: 'any', builtins: true },
  jobs: { sources: [domain, actorsPorts, /^src\/db\//, /^src\/jobs\//], packages: 'any', builtins: true },
  http: { sources: [domain, anyPorts, answersOfDb, /^src\/http\//], packages: 'any', builtins: true },
}
const besideTheRooms: RoomRule = { sources: [domain, /^src\/[^/]+\.ts$/], packages: 'any', builtins: true }
const everything: RoomRule = { sources: [/^src\//], packages: 'any', builtins: true }

const mayImportAll = ['src/main.ts', 'src/app.ts', 'src/verify.ts']
const environmentReader = 'src/config.ts'
const environment =
  /\b(process|Deno)\s*\??\.\s*env\b|\bprocess\s*\[\s*['"]env['"]|\benv\b[^;]*\bfrom\s*['"](node:)?process['"]/
const namesThatSayNothing = /^(index|utils?|helpers?|common|types)$/

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const dependencies = Object.keys(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).dependencies)

/** What is wrong with one source file, one sentence each. `path` is relative to the root, with slashes. */
function faultsOf(path: string, text: string): string[] {
  const code = withoutComments(text)
  const faults = importsOf(code).flatMap((specifier) => faultOfImport(path, specifier) ?? [])
  if (path !== environmentReader && environment.test(code)) {
    faults.push(`only ${environmentReader} reads the environment`)
  }
  const segments = path.split(/[/.]/).slice(1, -1)
  const empty = segments.find((segment) => namesThatSayNothing.test(segment))
  if (empty) faults.push(`the name "${empty}" says nothing`)
  if (isBarrel(code)) faults.push('a file of re-exports is a barrel')
  return faults
}

function faultOfImport(path: string, specifier: string): string | undefined {
  const rule = ruleFor(path)
  if (!/^\.{0,2}\//.test(specifier)) return faultOfPackage(rule, specifier)
  const target = posix.normalize(posix.join(posix.dirname(path), specifier))
  if (!target.startsWith('src/')) return `${specifier} is outside of src`
  if (!/\.(ts|json)$/.test(target)) return `${specifier} does not name its file`
  if (target === 'src/main.ts') return 'nobody imports main.ts'
  if (target === 'src/app.ts' && path !== 'src/main.ts') return 'only main.ts imports app.ts'
  if (!rule.sources.some((allowed) => allowed.test(target))) return `${roomOf(path)} may not import ${target}`
  if (isFurniture(path) && target.split('/').length > 3) return `furniture knows no module: ${target}`
  return undefined
}

function faultOfPackage(rule: RoomRule, specifier: string): string | undefined {
  if (isBuiltin(specifier)) return rule.builtins ? undefined : `${specifier} is not for this room`
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
  if (!dependencies.includes(name)) return `${name} is not among the dependencies`
  if (rule.packages !== 'any' && !rule.packages.includes(name)) return `${name} is not for this room`
  return undefined
}

function ruleFor(path: string): RoomRule {
  if (mayImportAll.includes(path)) return everything
  return rooms[roomOf(path)] ?? besideTheRooms
}

function roomOf(path: string): string {
  return path.split('/')[1]!
}

function isFurniture(path: string): boolean {
  return path.split('/').length === 3
}

function withoutComments(text: string): string {
  const stringOrComment =
    /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\[\s\S]|[^`\\])*`|\/\/[^\n]*|\/\*[\s\S]*?\*\//g
  return text.replace(stringOrComment, (found) => (found.startsWith('/') ? ' ' : found))
}

const fromClause = /^[ \t]*(?:import|export)\b[^'"`;=()]*?\bfrom\s*['"]([^'"]+)['"]/gm
const bareImport = /^[ \t]*import\s*['"]([^'"]+)['"]/gm
const call = /\b(?:import|require|import\.meta\.resolve)\s*\(\s*['"`]([^'"`]+)['"`]/g

function importsOf(code: string): string[] {
  return [fromClause, bareImport, call].flatMap((form) => [...code.matchAll(form)].map((match) => match[1]!))
}

function isBarrel(code: string): boolean {
  const reExport = /^[ \t]*export\b[^'"`;=()]*?\bfrom\s*['"][^'"]+['"];?/gm
  return reExport.test(code) && code.replace(reExport, '').trim() === ''
}

function sourceFiles(folder = 'src', end = /\.ts$/): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => end.test(name))
    .map((name) =>
      relative(root, join(root, folder, name))
        .split(sep)
        .join('/'),
    )
    .sort()
}

describe('the house', () => {
  it('keeps its rules in every file of src', () => {
    const files = sourceFiles()
    expect(files.length).toBeGreaterThan(0)
    const faults = files.flatMap((path) =>
      faultsOf(path, readFileSync(join(root, path), 'utf8')).map((fault) => `${path}: ${fault}`),
    )
    expect(faults).toEqual([])
  })

  it.each([
    ['src/domain/racing/round.ts', `import { createHmac } from 'node:crypto'`, 'node:crypto is not for'],
    ['src/domain/racing/round.ts', `import { createMachine } from 'xstate'`, 'xstate is not for this room'],
    [
      'src/domain/racing/round.ts',
      `import type {\n  Track,\n} from '../../actors/racing/track.ts'`,
      'may not',
    ],
    ['src/domain/money.ts', `import { fold } from './racing/round.ts'`, 'furniture knows no module'],
    ['src/actors/racing/round.ts', `import * as v from 'valibot'`, 'valibot is not for this room'],
    [
      'src/actors/racing/round.ts',
      `import { sql } from '../../db/postgres.ts'`,
      'actors may not import src/db',
    ],
    ['src/actors/racing/round.ts', `const fs = await import('fs')`, 'fs is not for this room'],
    [
      'src/db/racing/rows.ts',
      `export * from '../../actors/racing/track.ts'\nconst a = 1`,
      'db may not import',
    ],
    ['src/db/racing/rows.ts', `import '../../jobs/queues.ts'`, 'db may not import src/jobs/queues.ts'],
    ['src/db/postgres.ts', `import { a } from '../domain/racing/round.ts'`, 'furniture knows no module'],
    ['src/jobs/racing/outbox.ts', `import { hub } from '../../http/hub.ts'`, 'jobs may not import'],
    [
      'src/http/racing/sell.ts',
      `import { journal } from '../../db/racing/journal.ts'`,
      'http may not import',
    ],
    ['src/http/racing/sell.ts', `import { app } from '../../app.ts'`, 'only main.ts imports app.ts'],
    ['src/app.ts', `import './main.ts'`, 'nobody imports main.ts'],
    [
      'src/http/racing/sell.ts',
      `import { config } from '../../config.ts'`,
      'http may not import src/config.ts',
    ],
    ['src/http/racing/sell.ts', `import { a } from './receipt'`, 'does not name its file'],
    ['src/http/racing/sell.ts', `import { a } from '../../../tests/world.ts'`, 'outside of src'],
    ['src/http/racing/sell.ts', `import { it } from 'vitest'`, 'vitest is not among the dependencies'],
    ['src/http/racing/sell.ts', 'const { PORT } = process.env', 'reads the environment'],
    ['src/http/racing/sell.ts', `const port = process['env'].PORT`, 'reads the environment'],
    ['src/http/racing/sell.ts', `import { env } from 'node:process'`, 'reads the environment'],
    ['src/main.ts', `const port = Deno.env.get('PORT')`, 'reads the environment'],
    ['src/domain/racing/index.ts', 'export const a = 1', 'the name "index" says nothing'],
    ['src/domain/racing/round.helpers.ts', 'export const a = 1', 'the name "helpers" says nothing'],
    ['src/domain/common/round.ts', 'export const a = 1', 'the name "common" says nothing'],
    ['src/domain/racing/all.ts', `// all\nexport * from './odds.ts'\n`, 'a barrel'],
  ])('reports %s with %s', (path, text, fault) => {
    expect(faultsOf(path, text)).toEqual([expect.stringContaining(fault)])
  })

  it.each([
    [
      'src/domain/racing/round.ts',
      `import { hmac } from '@noble/hashes/hmac.js'\nimport { a } from '../money.ts'`,
    ],
    ['src/domain/racing/round.ts', `// import { a } from 'xstate'\n/* import 'pg' */\nconst a = "// '"`],
    ['src/actors/racing/round.ts', `import { setup } from 'xstate'\nimport { a } from './journal.port.ts'`],
    [
      'src/db/racing/journal.ts',
      `import type { J } from '../../actors/racing/journal.port.ts'\nimport 'node:fs'`,
    ],
    [
      'src/jobs/racing/outbox.ts',
      `import { r } from '../../db/racing/rows.ts'\nimport { Queue } from 'bullmq'`,
    ],
    ['src/http/racing/mine.ts', `import { q } from '../../db/racing/receipts.queries.ts'`],
    [
      'src/http/racing/mine.ts',
      `import { c } from '../../db/racing/round.cache.ts'\nimport { Hono } from 'hono'`,
    ],
    ['src/config.ts', 'export const port = process.env.PORT'],
    ['src/main.ts', `import { app } from './app.ts'\nimport { open } from './db/racing/journal.ts'`],
  ])('finds nothing wrong in %s, sample %#', (path, text) => {
    expect(faultsOf(path, text)).toEqual([])
  })
})

const pagePackages = /^(preact(\/hooks)?|@preact\/signals|@noble\/hashes\/.*|uqr)$/
/** Types cost a browser nothing; of the code, only the rules of the domain may run in it. */
const typeImport = /^[ \t]*import\s+type\b[^'"`;=()]*?\bfrom\s*['"][^'"]+['"]/gm
const folderOfPage = /^web\/(station|screen|desk|verify)\//

/** What is wrong with one file of web/. */
function faultsOfPage(path: string, text: string): string[] {
  const code = withoutComments(text)
  const running = code.replace(typeImport, '')
  const faults = importsOf(running).flatMap((specifier) => {
    if (!/^\.{1,2}\//.test(specifier))
      return pagePackages.test(specifier) ? [] : [`${specifier} is not for pages`]
    const target = posix.normalize(posix.join(posix.dirname(path), specifier))
    if (domain.test(target)) return []
    if (!target.startsWith('web/')) return [`${specifier} is outside of web`]
    if (!/\.(tsx?|css)$/.test(target)) return [`${specifier} does not name its file`]
    const other = folderOfPage.exec(target)?.[1]
    if (other !== undefined && folderOfPage.exec(path)?.[1] !== other) return [`${target} is of another page`]
    return []
  })
  const segments = path.split(/[/.]/).slice(1, -1)
  const empty = segments.find((segment) => namesThatSayNothing.test(segment))
  if (empty) faults.push(`the name "${empty}" says nothing`)
  if (isBarrel(code)) faults.push('a file of re-exports is a barrel')
  return faults
}

describe('the pages', () => {
  it('keep their rules in every file of web', () => {
    const files = sourceFiles('web', /(?<!\.d)\.tsx?$/)
    expect(files.length).toBeGreaterThan(10)
    const faults = files.flatMap((path) =>
      faultsOfPage(path, readFileSync(join(root, path), 'utf8')).map((fault) => `${path}: ${fault}`),
    )
    expect(faults).toEqual([])
  })

  it.each([
    ['web/live.ts', `import { Hono } from 'hono'`, 'hono is not for pages'],
    ['web/live.ts', `import { ok } from '../src/http/answer.ts'`, 'outside of web'],
    ['web/live.ts', `import { a } from './client'`, 'does not name its file'],
    ['web/live.ts', `import { a } from './desk/main.tsx'`, 'is of another page'],
    ['web/desk/chart.tsx', `import { a } from '../station/sale.ts'`, 'is of another page'],
    ['web/utils.ts', 'export const a = 1', 'the name "utils" says nothing'],
  ])('reports %s with %s', (path, text, fault) => {
    expect(faultsOfPage(path, text)).toEqual([expect.stringContaining(fault)])
  })

  it.each([
    [
      'web/live.ts',
      `import type { Code } from '../src/http/answer.ts'\nimport { signal } from '@preact/signals'`,
    ],
    [
      'web/verify/draw.tsx',
      `import { drawOrder } from '../../src/domain/racing/draw.ts'\nimport '../base.css'`,
    ],
  ])('finds nothing wrong in %s, sample %#', (path, text) => {
    expect(faultsOfPage(path, text)).toEqual([])
  })
})
