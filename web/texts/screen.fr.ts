export const fr = {
  title: 'Écran des courses',
  race: (id: number) => `Course ${id}`,
  noRace: 'La première course va s’ouvrir.',
  unknownTrack: (track: string, tracks: string) =>
    `Il n’y a pas de piste « ${track} ». Les pistes : ${tracks}.`,
  paused: 'Pause : la prochaine course sera annoncée ici.',
  lastBeforePause: 'Dernière course avant une pause',
  closesIn: 'Fin des paris dans',
  startsIn: 'Départ dans',
  nextIn: (left: string) => `Prochaine course dans ${left}`,
  commitment: 'Tirage scellé avant les paris. Scannez pour vérifier après la course.',
  leaders: (numbers: string) => `La course ; en tête : ${numbers}`,
  winner: 'Vainqueur',
  paid: (odds: string) => `Cote ${odds}`,
  proof: (address: string, id: number) => `Vérifiez vous-même : ${address}, course ${id}`,
  voided: 'Course annulée. Toutes les mises sont rendues au guichet.',
  lastResults: 'Derniers vainqueurs',
}
