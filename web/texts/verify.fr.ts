export const fr = {
  title: 'Vérifier une course',
  intro:
    'Le tirage de chaque course est scellé avant le premier pari : le serveur publie l’empreinte (sha256) d’un nombre secret. Après la course il révèle le secret, et votre navigateur refait ici tout le calcul, sans croire le serveur.',
  ask: 'Numéro de la course, ou code scanné au bas du reçu',
  check: 'Vérifier',
  notARound: 'Tapez le numéro de la course, des chiffres seulement, ou scannez le code au bas du reçu.',
  receiptOfAnother:
    'Aucune course n’a ce numéro. Si c’est celui du reçu, tapez plutôt le numéro de la course, imprimé dessus.',
  notYet: (id: number) =>
    `La course ${id} n’est pas finie : son secret n’est pas encore révélé. Revenez après l’arrivée.`,
  noProof: 'Ce que le serveur a répondu n’est pas une preuve. Gardez votre reçu et prévenez quelqu’un.',
  right: (id: number) => `Course ${id} : tout est exact.`,
  wrong: (id: number) => `Course ${id} : quelque chose ne va pas. Gardez votre reçu et cette page.`,
  isRight: 'exact',
  isWrong: 'faux',
  seed: 'Le secret révélé :',
  said: 'Publié',
  computed: 'Calculé ici',
  commitmentTitle: 'L’engagement',
  commitment: 'L’empreinte sha256 du secret doit être celle qui fut publiée avant le premier pari.',
  keptTitle: 'Votre engagement',
  kept: 'L’engagement que vous avez scanné ou lu avant la course doit être celui que le serveur donne maintenant.',
  chainTitle: 'La chaîne',
  chain: (hashes: number) =>
    hashes === 1
      ? 'C’est la première course d’une chaîne : l’empreinte du secret est l’ancre publiée avec elle.'
      : `Les secrets forment une chaîne fixée d’avance : l’empreinte calculée ${hashes} fois de suite doit mener à l’ancre publiée avec la première course. Aucun secret n’a donc pu être choisi après coup.`,
  placesTitle: 'Le tirage des places',
  places:
    'Chaque place est tirée parmi ceux qui courent encore : HMAC-SHA256, avec le secret pour clé, donne un nombre, pris modulo la somme des chances ; il tombe sur un participant.',
  place: 'Place',
  block: 'Bloc',
  ticket: 'Nombre tiré',
  runner: 'Participant',
  chance: 'Chance',
  of: (ticket: string, chances: string) => `${ticket} sur ${chances}`,
  orderTitle: 'L’ordre d’arrivée',
  order: 'L’ordre tiré ici doit être celui de la course.',
  voided: 'La course a été annulée : elle n’a pas d’ordre d’arrivée, et toutes les mises sont rendues.',
  byHand: (id: number) => `La même chose dans un terminal : npm run verify-round -- ${id}`,
}
