/// <reference lib="dom" />
import type { Page } from 'playwright-core'
import { eventually } from './server.ts'

// A cashier at the station page who touches nothing but the keyboard.

/** As a person types: too slow for a scanner. */
const HAND_MS = 70

export class Cashier {
  readonly page: Page

  constructor(page: Page) {
    this.page = page
  }

  async type(text: string): Promise<void> {
    await this.page.keyboard.type(text, { delay: HAND_MS })
  }

  async press(key: string): Promise<void> {
    await this.page.keyboard.press(key)
  }

  /** Number, amount, Enter. */
  async bet(number: number, amount: string): Promise<void> {
    await this.type(String(number))
    await this.type(amount)
    await this.press('Enter')
  }

  /** Types what a scanner reads, as quickly as it does. */
  async scan(number: string): Promise<void> {
    await Promise.all([...number, 'Enter'].map((key) => this.press(key)))
  }

  async signIn(name: string, password: string): Promise<void> {
    await this.page.locator('input[name=name]:focus').waitFor()
    await this.type(name)
    await this.press('Tab')
    await this.page.keyboard.insertText(password)
    await this.press('Enter')
    await this.page.locator('.field li').first().waitFor()
  }

  /** Goes on to a button of this name, and presses it. */
  async tabTo(name: string): Promise<void> {
    for (let step = 0; step < 40; step++) {
      await this.press('Tab')
      const text = await this.page.evaluate(() => document.activeElement?.textContent?.trim())
      if (text === name) return await this.press('Enter')
    }
    throw new Error(`there is no button "${name}" to come to`)
  }

  /** What stands at a place, with plain spaces. */
  async text(selector: string): Promise<string> {
    return plain(await this.page.locator(selector).innerText())
  }

  /** Waits until a place says so. */
  async reads(selector: string, text: string | RegExp): Promise<string> {
    let seen = ''
    await eventually(`${selector} reads ${text}`, async () => {
      seen = await this.text(selector)
      return typeof text === 'string' ? seen.includes(text) : text.test(seen)
    }).catch((error: Error) => {
      throw new Error(`${error.message}; it read: ${seen}`)
    })
    return seen
  }

  /** The number of the receipt that was sold last, as it is printed. */
  async sold(): Promise<string> {
    return /\d{8,}/.exec(await this.reads('.outcome', /\d{8,}/))![0]
  }
}

export const plain = (text: string): string => text.replaceAll(/\s+/g, ' ').trim()

/** An amount of the smallest unit as French pages of a shop in Haiti show it. */
export const shown = (amount: number): string =>
  plain(new Intl.NumberFormat('fr', { style: 'currency', currency: 'HTG' }).format(amount / 100))
