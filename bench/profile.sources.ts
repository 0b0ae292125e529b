import { existsSync, readFileSync } from 'node:fs'
import { SourceMap, type SourceMapPayload } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { CpuProfile, Frame } from './profile.groups.ts'

/** The same profile by the files that were written instead of those that were built, where a map lies beside the built one. */
export const inSources = (profile: CpuProfile): CpuProfile => {
  const maps = new Map<string, SourceMap | undefined>()
  const mapOf = (url: string): SourceMap | undefined => {
    if (!maps.has(url))
      maps.set(url, url.startsWith('file:') ? readMap(`${fileURLToPath(url)}.map`) : undefined)
    return maps.get(url)
  }
  return {
    ...profile,
    nodes: profile.nodes.map((node) => ({
      ...node,
      callFrame: frameIn(mapOf(node.callFrame.url), node.callFrame),
    })),
  }
}

const readMap = (path: string): SourceMap | undefined =>
  existsSync(path) ? new SourceMap(JSON.parse(readFileSync(path, 'utf8')) as SourceMapPayload) : undefined

const frameIn = (map: SourceMap | undefined, frame: Frame): Frame => {
  const entry = map?.findEntry(frame.lineNumber, frame.columnNumber ?? 0)
  if (!entry || !('originalSource' in entry)) return frame
  return {
    ...frame,
    url: new URL(entry.originalSource, frame.url).href,
    lineNumber: entry.originalLine,
    columnNumber: entry.originalColumn,
  }
}
