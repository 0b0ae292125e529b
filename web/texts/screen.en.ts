import type { Translated } from './fr.ts'
import type { fr } from './screen.fr.ts'

export const en: Translated<typeof fr> = {
  title: 'Race screen',
  race: (id) => `Race ${id}`,
  noRace: 'The first race is about to open.',
  unknownTrack: (track, tracks) => `There is no track “${track}”. The tracks: ${tracks}.`,
  paused: 'Pause: the next race will be announced here.',
  lastBeforePause: 'Last race before a pause',
  closesIn: 'Betting closes in',
  startsIn: 'Start in',
  nextIn: (left) => `Next race in ${left}`,
  commitment: 'Draw sealed before betting. Scan to verify it after the race.',
  leaders: (numbers) => `The race; leading: ${numbers}`,
  winner: 'Winner',
  paid: (odds) => `Odds ${odds}`,
  proof: (address, id) => `Check it yourself: ${address}, race ${id}`,
  voided: 'Race void. Every stake is given back at the counter.',
  lastResults: 'Last winners',
}
