/** An error that a simulated part of the world gave on purpose. */
export class Injected extends Error {
  readonly code: string | undefined
  constructor(message: string, code?: string) {
    super(message)
    this.name = 'Injected'
    this.code = code
  }
}

/** Whether an error goes back to one that was injected. */
export const isInjected = (error: unknown): boolean => {
  for (let one = error, depth = 0; one !== undefined && depth < 10; depth++) {
    if (one instanceof Injected) return true
    one = (one as { cause?: unknown }).cause
  }
  return false
}
