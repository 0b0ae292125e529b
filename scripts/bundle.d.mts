export function bundleServer(into: string, change?: (path: string, text: string) => string): Promise<void>
