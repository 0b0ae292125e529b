import { signal } from '@preact/signals'
import type { Shop } from './api.d.ts'
import { ask } from './client.ts'

// What the server says of the shop: name, money, time zone, tracks, limits.

const AGAIN_MS = 1_000

/** `undefined` until the server answered. */
export const shop = signal<Shop | undefined>(undefined)

/** Where telephones reach the pages: as the shop says, or as this page was reached. */
export const publicOrigin = (): string => shop.value?.publicUrl ?? location.origin

/** Asks until the server answers. */
export const loadShop = async (): Promise<Shop> => {
  for (;;) {
    const answer = await ask('GET /api/v1/shop')
    if (answer.ok) {
      shop.value = answer.data
      return answer.data
    }
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS))
  }
}
