// The message of row 4, with the members that Galop's own has.

const participants = [1, 2, 3, 4, 5, 6].map((number) => ({ number, name: `Cheval ${number}`, coeff: 2.5 }))
const bet = (number, value, coeff) => ({
  number,
  value,
  participant: { number, name: `Cheval ${number}`, coeff },
  prize: value * coeff,
})

export const receiptAdded = (offset) => {
  const now = Date.now()
  return {
    event: 'receipt_added',
    topic: 'receipts',
    track: 'main',
    epoch: 'b6f1c1a0-5a5d-4d8e-9d43-3a4c4f0d7e11',
    offset,
    serverTime: now,
    receiptId: 1_000_000 + offset,
    roundId: 1,
    receipt: {
      id: 1_000_000 + offset,
      receipt_id: 1_000_000 + offset,
      round_id: 1,
      user_id: 2,
      total_amount: 15_000,
      status: 'pending',
      prize: 27_500,
      created_at: new Date(now).toISOString(),
      bets: [bet(1, 10_000, 2.5), bet(3, 5_000, 5.5)],
    },
    totalReceipts: offset,
    currentRound: {
      id: 1,
      roundId: 1,
      track: 'main',
      status: 'waiting',
      participants,
      commitment: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
      locksAt: now + 1_000_000,
      startsAt: now + 1_005_000,
      endsAt: now + 1_035_000,
      nextAt: now + 1_040_000,
      timer: { timeLeft: 1_005_000, totalDuration: 3_600_000, serverTime: now },
    },
  }
}
