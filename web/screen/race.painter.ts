import { clothOf } from './colours.ts'

// Paints one moment of a race. It remembers nothing: the same places and size give the same picture.

/** The part of the course that is seen at once, and where in it the middle of the pack is. */
const VIEW = 0.42
const PACK_AT = 0.62
const POST_EVERY = 0.05

export type Runner = { readonly number: number; readonly name: string }

export const paintRace = (
  context: CanvasRenderingContext2D,
  width: number,
  height: number,
  field: readonly Runner[],
  places: readonly number[],
): void => {
  const lane = height / field.length
  const horse = Math.min(lane * 0.9, width * 0.075)
  const middle = places.reduce((sum, place) => sum + place, 0) / places.length
  const left = Math.max(-0.09, Math.min(1.04 - VIEW, middle - VIEW * PACK_AT))
  const xOf = (place: number): number => ((place - left) / VIEW) * width

  for (let i = 0; i < field.length; i++) {
    context.fillStyle = i % 2 === 0 ? '#2f6b3a' : '#2a6134'
    context.fillRect(0, i * lane, width, lane)
  }
  paintPosts(context, height, left, xOf)
  paintLine(context, xOf(0), height, '#ffffff')
  paintChequers(context, xOf(1), height, Math.max(8, width / 120))

  context.textBaseline = 'middle'
  const size = Math.max(12, Math.min(lane * 0.34, width / 42))
  for (let i = 0; i < field.length; i++) {
    const y = (i + 0.5) * lane
    const { number, name } = field[i]!
    context.font = `600 ${size}px system-ui, sans-serif`
    context.textAlign = 'left'
    context.fillStyle = '#ffffff'
    context.fillText(`${number}  ${name}`, size * 0.8, y)
    paintHorse(context, xOf(places[i]!), y, horse, places[i]!, number, clothOf(i))
  }
}

const paintPosts = (
  context: CanvasRenderingContext2D,
  height: number,
  left: number,
  xOf: (place: number) => number,
): void => {
  context.fillStyle = 'rgba(255, 255, 255, 0.16)'
  for (let post = Math.ceil(left / POST_EVERY); post * POST_EVERY <= left + VIEW; post++)
    context.fillRect(Math.round(xOf(post * POST_EVERY)), 0, 3, height)
}

const paintLine = (context: CanvasRenderingContext2D, x: number, height: number, colour: string): void => {
  context.fillStyle = colour
  context.fillRect(x, 0, 4, height)
}

const paintChequers = (context: CanvasRenderingContext2D, x: number, height: number, side: number): void => {
  for (let row = 0; row * side < height; row++)
    for (let column = 0; column < 2; column++) {
      context.fillStyle = (row + column) % 2 === 0 ? '#ffffff' : '#111111'
      context.fillRect(x + column * side, row * side, side, side)
    }
}

/** Its nose is at x. Its legs move with the way that it made, so that it gallops the same on every screen. */
const paintHorse = (
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  size: number,
  place: number,
  number: number,
  [ground, ink]: readonly [string, string],
): void => {
  const stride = Math.sin(place * 260)
  const body = { x: x - size * 0.62, y: y - size * 0.04 + Math.abs(stride) * size * 0.03 }
  context.strokeStyle = '#3b2416'
  context.fillStyle = '#6b4226'
  context.lineCap = 'round'
  context.lineWidth = size * 0.07
  context.beginPath()
  for (const [at, swing] of [
    [-0.3, stride],
    [-0.22, -stride * 0.8],
    [0.22, -stride],
    [0.3, stride * 0.8],
  ] as const) {
    context.moveTo(body.x + at * size, body.y + size * 0.1)
    context.lineTo(body.x + (at + swing * 0.2) * size, body.y + size * (0.44 - Math.abs(swing) * 0.08))
  }
  context.moveTo(body.x - size * 0.38, body.y - size * 0.06)
  context.lineTo(body.x - size * 0.56, body.y + size * (0.04 + stride * 0.05))
  context.stroke()
  context.beginPath()
  context.ellipse(body.x, body.y, size * 0.4, size * 0.17, 0, 0, 2 * Math.PI)
  context.fill()
  context.beginPath()
  context.moveTo(body.x + size * 0.2, body.y - size * 0.12)
  context.lineTo(x - size * 0.2, body.y - size * 0.4)
  context.lineTo(x, body.y - size * 0.26)
  context.lineTo(x - size * 0.03, body.y - size * 0.18)
  context.lineTo(x - size * 0.18, body.y - size * 0.2)
  context.lineTo(body.x + size * 0.36, body.y + size * 0.08)
  context.fill()
  const cloth = size * 0.34
  context.fillStyle = ground
  context.fillRect(body.x - cloth * 0.62, body.y - cloth * 0.62, cloth * 1.24, cloth)
  context.fillStyle = ink
  context.textAlign = 'center'
  context.font = `800 ${cloth * 0.86}px system-ui, sans-serif`
  context.fillText(String(number), body.x, body.y - cloth * 0.1)
}
