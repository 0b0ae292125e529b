// Starts an embedded Postgres the way a server does, for tests that kill the server.
// Writes one line of JSON when it is up, and stops it when its input ends.
import process from 'node:process'
import { startEmbeddedPostgres } from '../../src/db/embedded-postgres.ts'

const dataDirectory = process.argv[2]!
process.on('SIGINT', () => {})
const started = await startEmbeddedPostgres({ dataDirectory, say: (line) => console.error(line) })
console.log(JSON.stringify({ url: started.url, directory: started.directory, runsAs: started.runsAs }))
for await (const _ of process.stdin);
await started.stop()
