// Facts as a journal has them: a round's opening, and sales in it.

export const opening = {
  type: 'RoundOpened',
  at: 1,
  track: 'main',
  locksAt: 10_000,
  startsAt: 10_000,
  endsAt: 10_001,
  nextAt: 10_002,
  field: [{ number: 1, name: 'Cheval 1', chance: 1, coeff: 250 }],
  commitment: 'c0',
  chain: { anchor: 'c0', index: 0 },
  limits: { minStake: 1, maxStake: 10_000, maxExposure: 1_000_000 },
}

export const sale = (id: number) => ({
  type: 'ReceiptSold',
  at: 1_000 + id,
  by: 7,
  id,
  sale: { by: 7, at: 1_000 + id, bets: [{ number: 1, stake: 1_000, prize: 2_500 }] },
})
