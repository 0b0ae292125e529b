// Who is let in where: the one list of all routes. `routes.test.ts` compares it with what the server has registered, and asks
// each row as everybody.

/** A screen is a visitor with a browser, without an account: the product has no such role, and needs none. */
export const ASKERS = [
  'nobody',
  'screen',
  'forged',
  'alg none',
  'expired',
  'other cashier',
  'cashier',
  'admin',
] as const
export type Asker = (typeof ASKERS)[number]

export type Row = {
  readonly method: 'GET' | 'POST'
  /** As it is registered, without a slash at its end. */
  readonly route: string
  /** What is asked for instead: `{receipt}` and `{round}` are those of the test. */
  readonly ask?: string
  readonly body?: unknown
  readonly expected: Readonly<Record<Asker, number>>
}

const all = (status: number): Row['expected'] =>
  Object.fromEntries(ASKERS.map((asker) => [asker, status])) as Row['expected']
/** For those who are signed in. */
const staff = (cashier: number, other = cashier, admin = cashier): Row['expected'] => ({
  ...all(401),
  'other cashier': other,
  cashier,
  admin,
})
/** For admins. */
const admins = (admin: number): Row['expected'] => staff(403, 403, admin)

const BETS = [{ participant: { number: 1 }, value: 1_000 }]

export const ROWS: readonly Row[] = [
  // The counter. A receipt is touched by the cashier who sold it, and by admins.
  {
    method: 'POST',
    route: '/api/v1/receipts',
    ask: '/api/v1/receipts?action=add',
    body: { bets: BETS },
    expected: staff(200),
  },
  {
    method: 'GET',
    route: '/api/v1/receipts',
    ask: '/api/v1/receipts?action=print&id={receipt}',
    expected: staff(200, 403, 200),
  },
  {
    method: 'GET',
    route: '/api/v1/receipts',
    ask: '/api/v1/receipts?action=payout&id={receipt}',
    expected: staff(409, 403, 409),
  },
  { method: 'GET', route: '/api/v1/my-bets', expected: staff(200) },
  {
    method: 'GET',
    route: '/api/v1/my-bets/:id',
    ask: '/api/v1/my-bets/{receipt}',
    expected: staff(200, 403, 200),
  },
  {
    method: 'POST',
    route: '/api/v1/my-bets/pay/:id',
    ask: '/api/v1/my-bets/pay/{receipt}',
    expected: staff(409, 403, 409),
  },
  { method: 'GET', route: '/api/v1/my-day', expected: staff(200) },
  // Asked as the last of a receipt: the other cashier may not, the cashier may, and then it is done.
  {
    method: 'POST',
    route: '/api/v1/receipts',
    ask: '/api/v1/receipts?action=delete&id={receipt}',
    expected: { ...staff(200, 403, 409) },
  },

  { method: 'GET', route: '/api/v1/init/dashboard', expected: staff(200) },
  { method: 'GET', route: '/api/v1/init/game', expected: all(200) },
  { method: 'GET', route: '/api/v1/shop', expected: all(200) },
  { method: 'GET', route: '/api/v1/rounds', expected: all(200) },
  { method: 'GET', route: '/api/v1/rounds/current', expected: all(200) },
  { method: 'GET', route: '/api/v1/rounds/:id', ask: '/api/v1/rounds/{round}', expected: all(200) },
  {
    method: 'GET',
    route: '/api/v1/rounds/:id/proof',
    ask: '/api/v1/rounds/{round}/proof',
    expected: all(200),
  },
  {
    method: 'POST',
    route: '/api/v1/rounds/:id/void',
    ask: '/api/v1/rounds/999/void',
    body: { reason: 'a try' },
    expected: admins(404),
  },
  { method: 'GET', route: '/api/v1/tracks', expected: admins(200) },
  {
    method: 'POST',
    route: '/api/v1/tracks/:track/pause',
    ask: '/api/v1/tracks/main/pause',
    expected: admins(200),
  },
  {
    method: 'POST',
    route: '/api/v1/tracks/:track/resume',
    ask: '/api/v1/tracks/main/resume',
    expected: admins(200),
  },

  { method: 'GET', route: '/api/v1/figures/live', expected: admins(200) },
  {
    method: 'GET',
    route: '/api/v1/figures/days',
    ask: '/api/v1/figures/days?from=2026-01-01&to=2026-01-31',
    expected: admins(200),
  },
  {
    method: 'GET',
    route: '/api/v1/figures/days.csv',
    ask: '/api/v1/figures/days.csv?from=2026-01-01&to=2026-01-31',
    expected: admins(200),
  },
  { method: 'GET', route: '/api/v1/figures/rounds', expected: admins(200) },
  { method: 'GET', route: '/api/v1/figures/rounds.csv', expected: admins(200) },
  { method: 'GET', route: '/api/v1/figures/receipts.csv', expected: admins(200) },
  { method: 'GET', route: '/api/v1/audit/receipts', expected: admins(200) },
  {
    method: 'GET',
    route: '/api/v1/audit/receipts/:id',
    ask: '/api/v1/audit/receipts/{receipt}',
    expected: admins(200),
  },

  { method: 'POST', route: '/api/v1/auth/login', body: {}, expected: all(400) },
  { method: 'POST', route: '/api/v1/auth/logout', expected: staff(200) },
  { method: 'GET', route: '/api/v1/auth/me', expected: staff(200) },
  { method: 'GET', route: '/api/v1/users', expected: admins(200) },
  { method: 'POST', route: '/api/v1/users', body: {}, expected: admins(400) },
  {
    method: 'POST',
    route: '/api/v1/users/:id/disable',
    ask: '/api/v1/users/999/disable',
    expected: admins(404),
  },
  {
    method: 'POST',
    route: '/api/v1/users/:id/enable',
    ask: '/api/v1/users/999/enable',
    expected: admins(404),
  },
  {
    method: 'POST',
    route: '/api/v1/users/:id/password',
    ask: '/api/v1/users/999/password',
    body: { password: 'long enough' },
    expected: admins(404),
  },

  // The test's server gives its figures to no network.
  { method: 'GET', route: '/api/v1/ops/persistence', expected: admins(200) },
  { method: 'GET', route: '/api/v1/ops/alarms', expected: admins(200) },
  { method: 'GET', route: '/api/v1/ops/jobs/failed', expected: admins(200) },
  { method: 'GET', route: '/api/v1/ops/jobs/retries', expected: admins(200) },
  {
    method: 'POST',
    route: '/api/v1/ops/jobs/retry',
    body: { queue: 'persist', ids: ['none'] },
    expected: admins(200),
  },
  { method: 'GET', route: '/health', expected: all(200) },
  { method: 'GET', route: '/health/detailed', expected: admins(200) },
  { method: 'GET', route: '/metrics', expected: admins(200) },

  { method: 'GET', route: '/', expected: all(200) },
  { method: 'GET', route: '/sign-in', expected: all(200) },
  { method: 'GET', route: '/station', expected: all(200) },
  { method: 'GET', route: '/screen', expected: all(200) },
  { method: 'GET', route: '/desk', expected: all(200) },
  { method: 'GET', route: '/verify', expected: all(200) },
  // The names of those that there are change with what is in them.
  { method: 'GET', route: '/assets/:asset', ask: '/assets/none.js', expected: all(404) },
  { method: 'GET', route: '/docs', expected: all(200) },
  { method: 'GET', route: '/docs/:asset', ask: '/docs/swagger-ui.css', expected: all(200) },
  { method: 'GET', route: '/openapi.json', expected: all(200) },
  { method: 'GET', route: '/ws', expected: all(426) },
  { method: 'GET', route: '/admin/jobs', expected: { ...admins(200), screen: 302 } },
]

/** The dashboard brings routes of its own: whichever they are, they are for admins. */
export const BOARD = '/admin/jobs/'
