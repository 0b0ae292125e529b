// HTTP as the generators speak it: in few instructions, so that the server is what is measured.

const END_OF_HEAD = Buffer.from('\r\n\r\n')

export type Asked = {
  readonly port: number
  /** `POST` where it is not said. */
  readonly method?: 'GET' | 'POST'
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** The bytes of a request on a connection that stays open. */
export const requestBytes = ({ port, method = 'POST', path, headers, body }: Asked): Buffer => {
  const head = Object.entries({
    Host: `127.0.0.1:${port}`,
    'Content-Length': String(Buffer.byteLength(body)),
    ...headers,
  })
  return Buffer.from(
    `${method} ${path} HTTP/1.1\r\n${head.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`,
  )
}

/** Where the answer at the beginning of these bytes ends; `undefined` while it is not whole. */
export const answerEnd = (bytes: Buffer): number | undefined => {
  const head = bytes.indexOf(END_OF_HEAD)
  if (head < 0) return undefined
  const length = /content-length: *(\d+)/i.exec(bytes.toString('latin1', 0, head))
  if (!length) throw new Error('an answer without Content-Length')
  const end = head + 4 + Number(length[1])
  return bytes.length >= end ? end : undefined
}
