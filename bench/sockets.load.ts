import WebSocket from 'ws'

// Sockets that follow and count, in a process of their own. Each sees that no message of its streams is missing.

export type SocketsOptions = {
  readonly port: number
  readonly durationMs: number
  readonly groups: readonly {
    readonly sockets: number
    readonly track: string
    readonly topics: string
    readonly token?: string
  }[]
}

export type SocketsResult = {
  readonly sockets: number
  readonly messages: number
  /** Messages that were missing in a stream, and sockets that were closed. */
  readonly gaps: number
  readonly closed: number
}

type Told = { readonly topic?: string; readonly track?: string; readonly offset?: number }

const AT_A_TIME = 50

export const follow = async ({ port, durationMs, groups }: SocketsOptions): Promise<SocketsResult> => {
  const result = { sockets: 0, messages: 0, gaps: 0, closed: 0 }
  const sockets: WebSocket[] = []
  let isOver = false
  const openOne = ({ track, topics, token }: SocketsOptions['groups'][number]): Promise<void> =>
    new Promise((resolve, reject) => {
      const offsets = new Map<string, number>()
      const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` }
      const address = `ws://127.0.0.1:${port}/ws?topics=${topics}&track=${track}`
      const socket = new WebSocket(address, { headers, perMessageDeflate: false })
      sockets.push(socket)
      socket.on('error', reject)
      socket.on('close', () => {
        if (!isOver) result.closed++
      })
      socket.on('message', (data: Buffer) => {
        result.messages++
        const { topic, track: of, offset } = JSON.parse(data.toString()) as Told
        if (topic === undefined || offset === undefined) return
        const name = `${topic}/${of}`
        const before = offsets.get(name)
        if (before !== undefined && offset !== before + 1) result.gaps++
        offsets.set(name, offset)
        resolve()
      })
    })
  const all = groups.flatMap((group) => Array.from({ length: group.sockets }, () => group))
  for (let from = 0; from < all.length; from += AT_A_TIME)
    await Promise.all(all.slice(from, from + AT_A_TIME).map(openOne))
  result.sockets = sockets.length
  process.stderr.write('open\n')
  await new Promise((resolve) => setTimeout(resolve, durationMs))
  isOver = true
  for (const socket of sockets) socket.terminate()
  return result
}

if (process.argv[1] === import.meta.filename) {
  process.stdout.write(JSON.stringify(await follow(JSON.parse(process.argv[2]!) as SocketsOptions)))
}
