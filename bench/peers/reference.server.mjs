import { createHmac, timingSafeEqual } from 'node:crypto'
import express from 'express'
import { Redis } from 'ioredis'
import pg from 'pg'

// The earlier design, from the document of its receipts' routes: an array in memory, rows in Postgres by a pool, one JSON
// value per round in Redis. Where the document leaves a choice, the faster one is taken: the token's signature is
// checked by Node's own HMAC, numbers are looked up in a set, bets of a receipt are one `insert`, nobody listens at the
// socket. As in the document, the cashier is answered before anything is stored.

const { databaseUrl, redisUrl, secret } = JSON.parse(process.argv[2])
const STATION_NUMBER = '01'
const MIN_BET_AMOUNT = 100
const MAX_BET_AMOUNT = 1_000_000
const CACHE_SECONDS = 3600

const pool = new pg.Pool({ connectionString: databaseUrl })
const redis = new Redis(redisUrl)
const gameState = {
  currentRound: { id: 0, status: 'waiting', participants: [], receipts: [], totalPrize: 0 },
}
const ids = new Set()

const verify = (token) => {
  const [header, payload, signature] = token.split('.')
  const wanted = createHmac('sha256', secret).update(`${header}.${payload}`).digest()
  const given = Buffer.from(signature ?? '', 'base64url')
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return undefined
  return JSON.parse(Buffer.from(payload, 'base64url').toString())
}

const signedIn = (req, res, next) => {
  const token = /^Bearer (\S+)$/.exec(req.headers.authorization ?? '')?.[1]
  const user = token && verify(token)
  if (!user) return res.status(401).json({ success: false, error: 'UNAUTHENTICATED' })
  req.user = user
  next()
}

const roundIsInDatabase = async (roundId) => {
  for (let attempt = 0; attempt < 20; attempt++) {
    const { rowCount } = await pool.query('select 1 from rounds where round_id = $1', [roundId])
    if (rowCount === 1) return true
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return false
}

const createReceipt = ({ id, round_id, user_id, total_amount, status, prize }) =>
  pool.query(
    'insert into receipts (receipt_id, round_id, user_id, total_amount, status, prize) values ($1, $2, $3, $4, $5, $6)',
    [id, round_id, user_id, total_amount, status, prize],
  )

const createBetsBatch = (receiptId, bets) => {
  const values = []
  const places = bets.map(({ participant, value, prize }) => {
    values.push(receiptId, participant.number, participant.name, participant.coeff, value, 'pending', prize)
    const from = values.length - 7
    return `(${[1, 2, 3, 4, 5, 6, 7].map((place) => `$${from + place}`).join(', ')})`
  })
  return pool.query(
    `insert into bets (receipt_id, participant_number, participant_name, coefficient, value, status, prize) values ${places.join(', ')}`,
    values,
  )
}

const addTicketToRoundCache = async (roundId, ticket) => {
  const key = `round:${roundId}:data`
  const data = JSON.parse(
    (await redis.get(key)) ??
      '{"receipts":[],"stats":{"totalReceipts":0,"totalMise":0,"participantMise":{}}}',
  )
  data.receipts.push(ticket)
  data.stats.totalReceipts++
  data.stats.totalMise += ticket.total_amount
  for (const { number, value } of ticket.bets)
    data.stats.participantMise[number] = (data.stats.participantMise[number] ?? 0) + value
  await redis.set(key, JSON.stringify(data), 'EX', CACHE_SECONDS)
}

let stored = 0
const persist = async (receipt) => {
  try {
    await createReceipt(receipt)
    await createBetsBatch(receipt.id, receipt.bets)
    stored++
    await addTicketToRoundCache(receipt.round_id, {
      id: receipt.id,
      user_id: receipt.user_id,
      created_at: receipt.created_at.getTime(),
      total_amount: receipt.total_amount,
      bets: receipt.bets,
    })
  } catch (error) {
    process.stderr.write(`${error.message}\n`)
  }
}

const newId = () => {
  for (;;) {
    const id = Number(`${STATION_NUMBER}${String(Math.floor(Math.random() * 1e6)).padStart(6, '0')}`)
    if (ids.has(id)) continue
    ids.add(id)
    return id
  }
}

const app = express()
app.use(express.json())

app.post('/api/v1/receipts/', signedIn, async (req, res) => {
  if (req.query.action !== 'add') return res.status(400).json({ success: false, error: 'BAD_ACTION' })
  const round = gameState.currentRound
  if (!(await roundIsInDatabase(round.id))) return res.status(409).json({ success: false, error: 'NO_ROUND' })
  if (round.status !== 'waiting') return res.status(409).json({ success: false, error: 'RACE_RUNNING' })
  const asked = req.body.bets
  if (!Array.isArray(asked) || asked.length === 0)
    return res.status(400).json({ success: false, error: 'NO_BETS' })
  const bets = []
  for (const { participant, value } of asked) {
    const known = round.participants.find(({ number }) => number === participant?.number)
    if (!known) return res.status(400).json({ success: false, error: 'PARTICIPANT_UNKNOWN' })
    if (!Number.isInteger(value) || value < MIN_BET_AMOUNT || value > MAX_BET_AMOUNT)
      return res.status(400).json({ success: false, error: 'AMOUNT' })
    bets.push({
      number: known.number,
      value,
      participant: { ...known, coeff: participant.coeff },
      prize: value * participant.coeff,
    })
  }
  const id = newId()
  const receipt = {
    id,
    receipt_id: id,
    round_id: round.id,
    user_id: req.user.userId,
    total_amount: bets.reduce((sum, { value }) => sum + value, 0),
    status: 'pending',
    prize: 0,
    created_at: new Date(),
    bets,
  }
  round.receipts.push(receipt)
  void persist(receipt)
  res.json({ success: true, data: { id, roundId: round.id, total_amount: receipt.total_amount, bets } })
})

/** How many receipts are sold, and how many of them have their rows. */
app.get('/figures', (_req, res) => {
  res.json({ sold: gameState.currentRound.receipts.length, stored })
})

const start = async () => {
  for (const statement of [
    'create table if not exists rounds (round_id serial primary key, status text not null)',
    `create table if not exists receipts (
       receipt_id bigint primary key, round_id integer not null references rounds, user_id integer not null,
       total_amount bigint not null, status text not null, prize bigint not null, created_at timestamptz not null default now())`,
    `create table if not exists bets (
       bet_id bigserial primary key, receipt_id bigint not null references receipts, participant_number integer not null,
       participant_name text not null, coefficient numeric not null, value bigint not null, status text not null, prize bigint not null)`,
    'create index if not exists bets_of_receipt on bets (receipt_id)',
    'create index if not exists receipts_of_round on receipts (round_id)',
    'truncate bets, receipts, rounds',
  ])
    await pool.query(statement)
  const { rows } = await pool.query(`insert into rounds (status) values ('waiting') returning round_id`)
  gameState.currentRound.id = rows[0].round_id
  gameState.currentRound.participants = [2.5, 4, 5.5, 7, 9, 12].map((coeff, i) => ({
    number: i + 1,
    name: `Cheval ${i + 1}`,
    coeff,
  }))
  const server = app.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`))
}

process.on('SIGTERM', () => process.exit(0))
await start()
