// What the pages know of the API, written from its OpenAPI document. The generators that there are need the compiler's
// own API, which the native TypeScript no longer has; our schemas use little, so this is short.

type Schema = {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: Schema | boolean
  readonly items?: Schema
}
type Content = { readonly content?: Readonly<Record<string, { readonly schema: Schema }>> }
type Operation = {
  readonly parameters?: readonly {
    readonly name: string
    readonly in: string
    readonly required?: boolean
    readonly schema: Schema
  }[]
  readonly requestBody?: Content
  readonly responses: Readonly<Record<string, Content>>
}
export type Document = {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

/** The text of `web/api.d.ts`. @throws Error at a schema of a kind that it does not know */
export const typesOf = ({ paths, components }: Document): string => {
  const schemas = Object.entries(components.schemas).sort(byName)
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, one]) => [`${method.toUpperCase()} ${path}`, one] as const),
  )
  const routes = operations.sort(byName).map(([name, one]) => `  ${JSON.stringify(name)}: ${routeOf(one)}`)
  return `// Written by scripts/api-types.ts from /openapi.json: do not edit.

${schemas.map(([name, schema]) => `export type ${name} = ${typeOf(schema)}\n`).join('\n')}
/** No members. */
export type Nothing = Readonly<Record<never, never>>

/** Of each route: what it is asked with, and the \`data\` of its answer. */
export type Api = {
${routes.join('\n')}
}
`
}

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : 1)

const routeOf = ({ parameters = [], requestBody, responses }: Operation): string => {
  const of = (place: string): string => {
    const some = parameters.filter((one) => one.in === place)
    const members = some.map(
      ({ name, required, schema }) => `${JSON.stringify(name)}${required ? '' : '?'}: ${typeOf(schema)}`,
    )
    return some.length === 0 ? 'Nothing' : `{ ${members.join('; ')} }`
  }
  const asked = requestBody?.content?.['application/json']?.schema
  const [, done] = Object.entries(responses).find(([status]) => status.startsWith('2')) ?? []
  const answer = done?.content?.['application/json']?.schema
  const data = answer?.properties?.data
  const isSure = answer?.required?.includes('data') ?? false
  const body = asked ? typeOf(asked) : 'undefined'
  const answered = data ? `${typeOf(data)}${isSure ? '' : ' | undefined'}` : 'undefined'
  return `{ path: ${of('path')}; query: ${of('query')}; body: ${body}; data: ${answered} }`
}

const typeOf = (schema: Schema): string => {
  if (schema.$ref !== undefined) return schema.$ref.split('/').at(-1)!
  if ('const' in schema) return JSON.stringify(schema.const)
  if (schema.enum) return schema.enum.map((one) => JSON.stringify(one)).join(' | ')
  const some = schema.anyOf ?? schema.oneOf
  if (some) return some.map(typeOf).join(' | ')
  switch (schema.type) {
    case 'object':
      return objectOf(schema)
    case 'array':
      return `readonly (${typeOf(schema.items ?? {})})[]`
    case 'integer':
    case 'number':
      return 'number'
    case 'string':
    case 'boolean':
    case 'null':
      return schema.type
    case undefined:
      return 'unknown'
    default:
      throw new Error(`a schema of an unknown kind: ${JSON.stringify(schema)}`)
  }
}

const objectOf = ({ properties = {}, required = [], additionalProperties }: Schema): string => {
  const members = Object.entries(properties).map(
    ([name, schema]) =>
      `readonly ${JSON.stringify(name)}${required.includes(name) ? '' : '?'}: ${typeOf(schema)}`,
  )
  if (typeof additionalProperties === 'object')
    members.push(`readonly [name: string]: ${typeOf(additionalProperties)}`)
  return `{ ${members.join('; ')} }`
}
