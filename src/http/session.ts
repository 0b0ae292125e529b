import type { Context } from 'hono'

export type Role = 'admin' | 'cashier'

/** Who is signed in, as a verified token says. Times in milliseconds since 1970. */
export type Session = {
  readonly userId: number
  readonly name: string
  readonly role: Role
  readonly tokenId: string
  readonly tokenVersion: number
  readonly expiresAt: number
}

/** The door that tokens come through. */
export interface Sessions {
  /** The session of a token, or `undefined` where it is forged, run out, revoked, or its user is disabled. */
  verify(token: string): Session | undefined | Promise<Session | undefined>
  /** Whether a session that was verified earlier still holds. Cheap enough for every request. */
  isCurrent(session: Session): boolean
  /** Counts a request that nobody is signed in for. @throws HTTPException 429 where its address sent too many */
  countStranger?(c: Context): Promise<void>
}

export const isAdmin = (session: Session): boolean => session.role === 'admin'
