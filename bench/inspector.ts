import { WebSocket } from 'ws'

// The heap of another process, by the inspector that it was started with (`--inspect=127.0.0.1:PORT`).

/** Bytes of what lives in the heap and beside it, after the garbage was collected. */
export const liveBytes = async (inspectorPort: number): Promise<number> => {
  const [target] = (await (await fetch(`http://127.0.0.1:${inspectorPort}/json`)).json()) as {
    webSocketDebuggerUrl: string
  }[]
  const socket = new WebSocket(target!.webSocketDebuggerUrl)
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
  let last = 0
  const call = (method: string, params: object = {}): Promise<{ result: { value?: unknown } }> =>
    new Promise((resolve) => {
      const id = ++last
      const hear = (data: Buffer): void => {
        const answer = JSON.parse(data.toString()) as { id?: number; result: never }
        if (answer.id !== id) return
        socket.off('message', hear)
        resolve(answer.result)
      }
      socket.on('message', hear)
      socket.send(JSON.stringify({ id, method, params }))
    })
  await call('HeapProfiler.enable')
  // What finalizers hold on to goes with the second.
  for (let i = 0; i < 2; i++) await call('HeapProfiler.collectGarbage')
  const expression = '(({ heapUsed, external }) => heapUsed + external)(process.memoryUsage())'
  const { result } = await call('Runtime.evaluate', { expression, returnByValue: true })
  socket.close()
  if (typeof result.value !== 'number') throw new Error('the inspector does not tell what lives')
  return result.value
}
