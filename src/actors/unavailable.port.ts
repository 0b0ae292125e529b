/** A store that is needed for this answer is away. Nothing was changed, or nothing is known to have changed. */
export class Unavailable extends Error {
  readonly store: 'journal' | 'postgres'
  constructor(store: 'journal' | 'postgres', message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'Unavailable'
    this.store = store
  }
}
