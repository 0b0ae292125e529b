import type { Context } from 'hono'

// Tables for spreadsheets (RFC 4180), sent as they are made.
//   C1. A text that a spreadsheet would take for a formula begins with an apostrophe instead; numbers stay numbers.
//   C2. No more than one page of rows is in memory: the next is read when the last was taken.

/** An amount is shown with two decimals. */
export type Cell = string | number | { readonly amount: number } | null

/** One line, its end included. */
export const csvLine = (cells: readonly Cell[]): string => `${cells.map(cellText).join(',')}\r\n`

const cellText = (cell: Cell): string => {
  if (cell === null) return ''
  if (typeof cell === 'number') return String(cell)
  if (typeof cell === 'object') return cell.amount.toFixed(2)
  const safe = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** Tells spreadsheets that the text is UTF-8. */
const MARK = '\uFEFF'

/** Answers with a table. The first page is read before the answer begins, so that a store that is away is a plain 503. */
export const sendCsv = async (
  c: Context,
  name: string,
  head: readonly string[],
  pages: AsyncGenerator<readonly (readonly Cell[])[]>,
): Promise<Response> => {
  const encoder = new TextEncoder()
  let next = await pages.next()
  let isBegun = false
  const body = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      const before = isBegun ? '' : MARK + csvLine(head)
      isBegun = true
      if (next.done) {
        if (before) controller.enqueue(encoder.encode(before))
        return controller.close()
      }
      controller.enqueue(encoder.encode(before + next.value.map(csvLine).join('')))
      next = await pages.next()
    },
    cancel: async () => {
      await pages.return(undefined)
    },
  })
  return c.body(body, 200, {
    'Content-Type': 'text/csv; charset=utf-8',
    'Content-Disposition': `attachment; filename="${name}"`,
    'Cache-Control': 'private, no-store',
    'X-Content-Type-Options': 'nosniff',
  })
}
