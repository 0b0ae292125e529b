// One Postgres for the whole run. Tests take a database of their own from it: `createTestDatabase`.
import type { TestProject } from 'vitest/node'
import { startTestPostgres } from './postgres-server.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    postgresAdminUrl: string
  }
}

export default async function setUp(project: TestProject) {
  const postgres = await startTestPostgres()
  project.provide('postgresAdminUrl', postgres.adminUrl)
  return () => postgres.stop()
}
