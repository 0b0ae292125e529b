import type { LoadOptions } from './load.ts'

// The sale that is measured: two bets, as a station sends it.

export const SALE = JSON.stringify({
  bets: [
    { participant: { number: 1, name: 'Cheval 1', coeff: 2.5 }, value: 10_000 },
    { participant: { number: 3, name: 'Cheval 3', coeff: 5.5 }, value: 5_000 },
  ],
})

export const JSON_HEADERS = { 'Content-Type': 'application/json' }

export const CONNECTIONS = 64

type Asked = Pick<LoadOptions, 'port' | 'path' | 'headers' | 'body' | 'mustHold'>

/** Sales on Galop over HTTP, every answer seen to be a sale. */
export const selling = ({ port, token }: { readonly port: number; readonly token: string }): Asked => ({
  port,
  path: '/api/v1/receipts/?action=add',
  headers: { ...JSON_HEADERS, Authorization: `Bearer ${token}` },
  body: SALE,
  mustHold: '{"success":true,"data":{"id":',
})

/** The same bytes to something that only sends them back. */
export const echoing = ({ port }: { readonly port: number }): Asked => ({
  port,
  path: '/echo',
  headers: JSON_HEADERS,
  body: SALE,
  mustHold: '"bets"',
})
