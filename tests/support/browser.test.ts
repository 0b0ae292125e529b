import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launchBrowser } from './browser.ts'

describe('launchBrowser', () => {
  let browser: Browser
  let server: Server
  let url: string

  beforeAll(async () => {
    server = createServer((_, response) => {
      response.setHeader('content-type', 'text/html; charset=utf-8')
      response.end(`<!doctype html><title>Galop</title><h1></h1>
        <script>document.querySelector('h1').textContent = 'Round ' + (40 + 2)</script>`)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    browser = await launchBrowser()
  }, 60_000)

  afterAll(async () => {
    await browser?.close()
    server.close()
  })

  it('opens a page of this machine, runs its script and takes its picture', async () => {
    const page = await browser.newPage({ viewport: { width: 320, height: 200 } })
    await page.goto(url)
    expect(await page.title()).toBe('Galop')
    expect(await page.textContent('h1')).toBe('Round 42')
    const picture = await page.screenshot()
    expect(picture.subarray(1, 4).toString()).toBe('PNG')
    expect([picture.readUInt32BE(16), picture.readUInt32BE(20)]).toEqual([320, 200])
  })
})
