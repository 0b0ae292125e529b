import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { Hono } from 'hono'
import { generateSpecs } from 'hono-openapi'
import { MARK, MARK_STYLE, NO_ICON, pageHeaders } from './page.ts'

const require = createRequire(import.meta.url)
const ASSETS: Readonly<Record<string, string>> = {
  'swagger-ui-bundle.js': 'text/javascript',
  'swagger-ui.css': 'text/css',
}

/** `/openapi.json`, and `/docs`: a reference of the API that needs no other site. */
export const docsRoutes = (documented: Hono, version: string, isDemonstration: boolean) => {
  const app = new Hono()
  let document: Promise<unknown> | undefined

  app.get('/openapi.json', async (c) => {
    document ??= generateSpecs(documented, {
      documentation: {
        info: {
          title: 'Galop',
          version,
          description:
            'The server of a betting shop. Answers come as `{success: true, data}` or ' +
            '`{success: false, error: {code, message, details}}`. Routes answer with and without a slash at their end. ' +
            'For the socket at `/ws` see docs/websocket.md.',
        },
        components: {
          securitySchemes: {
            bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
            cookie: { type: 'apiKey', in: 'cookie', name: 'galop_session' },
          },
        },
      },
    })
    return c.json((await document) as object)
  })

  app.get('/docs', (c) => {
    const nonce = randomBytes(16).toString('base64')
    return c.html(
      `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Galop API</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
${NO_ICON}<link rel="stylesheet" href="/docs/swagger-ui.css">${isDemonstration ? `<style>${MARK_STYLE}</style>` : ''}</head><body>
${isDemonstration ? `<p class="demonstration">${MARK.en}</p>` : ''}<div id="reference"></div>
<script nonce="${nonce}" src="/docs/swagger-ui-bundle.js"></script>
<script nonce="${nonce}">SwaggerUIBundle({ url: '/openapi.json', dom_id: '#reference', deepLinking: true, validatorUrl: null })</script>
</body></html>`,
      200,
      pageHeaders(
        `default-src 'none'; script-src 'nonce-${nonce}'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; font-src 'self' data:`,
      ),
    )
  })

  app.get('/docs/:asset', async (c) => {
    const type = ASSETS[c.req.param('asset')]
    if (!type) return c.notFound()
    const file = await readFile(require.resolve(`swagger-ui-dist/${c.req.param('asset')}`))
    return c.body(new Uint8Array(file), 200, {
      'Content-Type': type,
      'Cache-Control': 'public, max-age=86400',
      'X-Content-Type-Options': 'nosniff',
    })
  })
  return app
}
