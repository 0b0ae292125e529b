// Rows of numbers, as many as come, beside the heap.
//   NR1. A row keeps its place, and a page that is there is never copied: room is made page by page.

const ROWS_IN_PAGE = 1_024

/** Rows of `width` numbers each. */
export class NumberRows {
  private readonly width: number
  private readonly pages: Float64Array[] = []
  private count = 0

  constructor(width: number) {
    this.width = width
  }

  get length(): number {
    return this.count
  }

  /** Adds a row of zeros. @returns its place */
  add(): number {
    const row = this.count++
    if (row % ROWS_IN_PAGE === 0) this.pages.push(new Float64Array(ROWS_IN_PAGE * this.width))
    return row
  }

  get(row: number, column: number): number {
    return this.pages[Math.floor(row / ROWS_IN_PAGE)]![(row % ROWS_IN_PAGE) * this.width + column]!
  }

  set(row: number, column: number, value: number): void {
    this.pages[Math.floor(row / ROWS_IN_PAGE)]![(row % ROWS_IN_PAGE) * this.width + column] = value
  }
}
