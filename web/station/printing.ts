import { language } from '../language.ts'

// Slips of paper are pages of the server that print themselves. Here they do so in a frame beside the screen: with the
// browser's dialog, or silently where it was started for that (Chromium: --kiosk-printing).

const PATIENCE_MS = 10_000
let frame: HTMLIFrameElement | undefined

/** Prints a receipt, or the slip of its prize. @returns whether the slip came */
export const printSlip = (action: 'print' | 'payout', id: number): Promise<boolean> => {
  frame?.remove()
  const one = document.createElement('iframe')
  frame = one
  one.className = 'slip'
  one.title = 'slip'
  one.tabIndex = -1
  one.setAttribute('aria-hidden', 'true')
  one.src = `/api/v1/receipts/?action=${action}&id=${id}&lang=${language.peek()}`
  return new Promise((resolve) => {
    const late = setTimeout(() => resolve(false), PATIENCE_MS)
    one.onload = () => {
      clearTimeout(late)
      resolve(isSlip(one))
    }
    document.body.appendChild(one)
  })
}

/** A refusal comes as text without a number in large, and what is not of this server cannot be looked into. */
const isSlip = (one: HTMLIFrameElement): boolean => {
  try {
    return Boolean(one.contentDocument?.querySelector('.number'))
  } catch {
    return false
  }
}
