// What has to outlive a reload. A browser that keeps nothing (private mode, full) still sells.

export const stored = {
  read: (name: string): string | undefined => {
    try {
      return localStorage.getItem(name) ?? undefined
    } catch {
      return undefined
    }
  },
  write: (name: string, text: string | undefined): void => {
    try {
      if (text === undefined) localStorage.removeItem(name)
      else localStorage.setItem(name, text)
    } catch {
      // It is kept in memory by whoever wrote it; only a reload would lose it.
    }
  },
}
