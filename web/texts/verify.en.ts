import type { Translated } from './fr.ts'
import type { fr } from './verify.fr.ts'

export const en: Translated<typeof fr> = {
  title: 'Verify a race',
  intro:
    'The draw of each race is sealed before the first bet: the server publishes the hash (sha256) of a secret number. After the race it reveals the secret, and your browser does the whole calculation again here, without believing the server.',
  ask: 'Number of the race, or the code at the foot of the receipt, scanned',
  check: 'Verify',
  notARound: 'Type the number of the race, digits only, or scan the code at the foot of the receipt.',
  receiptOfAnother:
    'No race has this number. If it is that of the receipt, type the number of the race instead, which is printed on it.',
  notYet: (id) => `Race ${id} is not over: its secret is not revealed yet. Come back after the finish.`,
  noProof: 'What the server answered is no proof. Keep your receipt and tell somebody.',
  right: (id) => `Race ${id}: all of it is right.`,
  wrong: (id) => `Race ${id}: something is wrong. Keep your receipt and this page.`,
  isRight: 'right',
  isWrong: 'wrong',
  seed: 'The secret that was revealed:',
  said: 'Published',
  computed: 'Computed here',
  commitmentTitle: 'The commitment',
  commitment: 'The sha256 hash of the secret must be the one that was published before the first bet.',
  keptTitle: 'Your commitment',
  kept: 'The commitment that you scanned or read before the race must be the one that the server names now.',
  chainTitle: 'The chain',
  chain: (hashes) =>
    hashes === 1
      ? 'It is the first race of a chain: the hash of the secret is the anchor that was published with it.'
      : `The secrets form a chain that was fixed in advance: hashing ${hashes} times in a row must lead to the anchor that was published with its first race. So no secret can have been chosen afterwards.`,
  placesTitle: 'The draw of the places',
  places:
    'Each place is drawn among those still running: HMAC-SHA256, with the secret as its key, gives a number, taken modulo the sum of the chances; it falls to one of them.',
  place: 'Place',
  block: 'Block',
  ticket: 'Number drawn',
  runner: 'Participant',
  chance: 'Chance',
  of: (ticket, chances) => `${ticket} of ${chances}`,
  orderTitle: 'The order of arrival',
  order: 'The order drawn here must be that of the race.',
  voided: 'The race was voided: it has no order of arrival, and every stake is given back.',
  byHand: (id) => `The same in a terminal: npm run verify-round -- ${id}`,
}
