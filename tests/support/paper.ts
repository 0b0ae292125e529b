/// <reference lib="dom" />
import type { Browser, Page } from 'playwright-core'
import decodeQR from 'qr/decode.js'
import type { Station } from './station.ts'
import { type Visit, visit } from './visit.ts'

// A receipt as it comes out of a printer for thermal paper: eight dots a millimetre, black or nothing.

const DOTS_PER_INCH = 203
const CSS_PER_INCH = 96
const PATIENCE_MS = 10_000

/** The receipt on paper. */
export const paperOf = (browser: Browser, station: Station, id: number): Promise<Visit> => {
  const url = `${station.server.url}/api/v1/receipts/?action=print&id=${id}`
  return visit(browser, { url, station, scale: DOTS_PER_INCH / CSS_PER_INCH })
}

/** What a telephone, or a scanner, reads in the code at a place of the paper. */
export const readCode = async (page: Page, selector: string): Promise<string> => {
  const picture = await page.locator(selector).screenshot()
  const { width, height, dots } = await page.evaluate(async (base64) => {
    const image = new Image()
    image.src = `data:image/png;base64,${base64}`
    await image.decode()
    const { width, height } = image
    const canvas = Object.assign(document.createElement('canvas'), { width, height })
    const pen = canvas.getContext('2d')!
    pen.drawImage(image, 0, 0)
    const { data } = pen.getImageData(0, 0, width, height)
    return { width, height, dots: Array.from({ length: width * height }, (_, dot) => data[dot * 4]! >= 128) }
  }, picture.toString('base64'))
  const data = Uint8Array.from(dots.flatMap((isWhite) => (isWhite ? [255, 255, 255, 255] : [0, 0, 0, 255])))
  return decodeQR({ width, height, data }, { timeLimit: PATIENCE_MS })
}
