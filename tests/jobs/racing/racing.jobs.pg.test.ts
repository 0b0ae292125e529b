import { describe } from 'vitest'
import { jobsSuite } from './jobs.suite.ts'

describe('the jobs on Postgres', () =>
  jobsSuite(() => ({
    storeOf: (cable) => ({ postgresUrl: cable.url, station: '01' }),
    loseQueue: async ({ database }) => {
      await database.sql`delete from jobs_01.job where queue = 'persist'`
    },
  })))
