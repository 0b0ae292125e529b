import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/**
 * Keeps the heap close to what lives in it. V8 lets the first hundreds of megabytes fill with garbage before it looks
 * at them, on the word of a machine's size; an old PC has better uses for them. One and a half times as much again as lives is
 * enough. Half as much was too little: what lives was marked twice as often, for 0.1 to 0.3 s each time with 100,000 to 300,000
 * receipts when they were objects of the heap, and whoever came to the counter then waited.
 */
export const keepHeapSmall = (): void => {
  setFlagsFromString('--heap-growing-percent=150')
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('globalThis.gc') as (() => void) | undefined
  // The limit is computed at a collection: without a first one there is none.
  collect?.()
}
