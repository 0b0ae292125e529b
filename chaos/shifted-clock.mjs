// Loaded before the server: `Date` tells another time, by as many milliseconds as the file CHAOS_CLOCK says. SIGUSR2
// makes it look again. Timers and `performance` go on as they were: they are no clocks of the day.
import { readFileSync } from 'node:fs'

const file = process.env.CHAOS_CLOCK
const Real = Date
let shiftMs = 0
const look = () => {
  shiftMs = Number(readFileSync(file, 'utf8')) || 0
}
look()
process.on('SIGUSR2', look)

globalThis.Date = class extends Real {
  constructor(...given) {
    if (given.length === 0) super(Real.now() + shiftMs)
    else super(...given)
  }
  static now() {
    return Real.now() + shiftMs
  }
}
