import type { ErrorCode } from '../refusals.ts'

/** The same members with other words: what a translation has to bring. */
export type Translated<T> = T extends string
  ? string
  : T extends (...args: infer A) => string
    ? (...args: A) => string
    : { readonly [K in keyof T]: Translated<T[K]> }

/** What every page says. Each page has texts of its own beside: `station.fr.ts`. */
export const fr = {
  language: 'Langue',
  signIn: {
    title: 'Connexion',
    name: 'Nom',
    password: 'Mot de passe',
    enter: 'Entrer',
    leave: 'Se déconnecter',
    adminsOnly: 'Cette page est pour les administrateurs. Connectez-vous avec un autre compte.',
  },
  live: {
    live: 'En direct',
    connecting: 'Connexion…',
    offline: 'Hors ligne : le serveur ne répond pas',
  },
  status: {
    pending: 'en attente',
    won: 'gagné',
    lost: 'perdu',
    paid: 'payé',
    cancelled: 'annulé',
    refundable: 'à rembourser',
    refunded: 'remboursé',
  },
  phase: {
    waiting: 'Paris ouverts',
    'betting-locked': 'Paris fermés',
    running: 'Course en cours',
    settled: 'Résultat',
    voided: 'Course annulée, reçus remboursés',
  },
  demonstration: 'DÉMONSTRATION — rien de ce qui est vendu ici n’a de valeur',
  loading: 'Un instant…',
  unknownFault: 'Quelque chose n’a pas marché. Réessayez dans un moment.',
  refusals: {
    NO_ANSWER: 'Le serveur ne répond pas.',
    NO_ROUND: 'Aucune course n’est ouverte : attendez la prochaine.',
    BETTING_LOCKED: 'Les paris sont fermés : vendez sur la prochaine course.',
    RACE_RUNNING: 'La course est partie : attendez qu’elle soit finie.',
    ROUND_SETTLED: 'Cette course est finie : vendez sur la prochaine.',
    ROUND_VOIDED: 'Cette course est annulée : les mises sont remboursées.',
    ROUND_DECIDED: 'Cette course est finie : elle ne s’annule plus.',
    ROUND_CHANGED: 'La course a changé entre-temps : demandez au client, puis vendez de nouveau.',
    NO_BETS: 'Un reçu sans pari ne se vend pas.',
    STAKE_OUT_OF_LIMITS: 'Une mise est hors des limites.',
    PARTICIPANT_UNKNOWN: 'Ce numéro ne court pas dans cette course.',
    PARTICIPANT_REPEATED: 'Deux paris du reçu portent le même numéro.',
    PARTICIPANT_CHANGED: 'Ce numéro porte un autre nom dans cette course : demandez au client.',
    COEFFICIENT_CHANGED: 'La cote a changé : demandez au client.',
    EXPOSURE_REACHED: 'La course n’accepte plus une telle mise sur ce numéro.',
    RECEIPT_UNKNOWN: 'Aucun reçu ne porte ce numéro.',
    RECEIPT_FOREIGN: 'Ce reçu a été vendu par quelqu’un d’autre : demandez à un administrateur.',
    RECEIPT_HISTORICAL: 'Ce reçu est d’une course passée et ne s’annule plus.',
    RECEIPT_CANCELLED: 'Ce reçu a été annulé et ne vaut rien.',
    RECEIPT_NOT_SETTLED: 'La course de ce reçu n’est pas finie.',
    RECEIPT_NOT_A_WINNER: 'Ce reçu n’a pas gagné.',
    RECEIPT_ALREADY_PAID: 'Ce reçu a déjà été payé : ne le payez pas une seconde fois.',
    RECEIPT_ALREADY_REFUNDED: 'La mise de ce reçu a déjà été rendue : ne la rendez pas une seconde fois.',
    WRONG_PASSWORD: 'Nom ou mot de passe incorrect, ou compte désactivé.',
    UNAUTHENTICATED: 'Votre session est finie : connectez-vous de nouveau.',
    FORBIDDEN: 'Ce compte n’en a pas le droit : demandez à un administrateur.',
    TOO_MANY_REQUESTS: 'Trop d’essais à la fois : attendez un moment.',
    JOURNAL_UNAVAILABLE: 'Le serveur ne peut pas écrire sur son disque : rien n’a été fait, réessayez.',
    POSTGRES_UNAVAILABLE: 'La base de données est absente : réessayez dans un moment.',
  } satisfies Partial<Record<ErrorCode, string>>,
}

export type Texts = Translated<typeof fr>
