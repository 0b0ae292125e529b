import { Ajv, type ValidateFunction } from 'ajv'

// What the server says of itself at /openapi.json, as lists of what may be asked and answered.

/** A JSON Schema, as far as it is looked at. */
export type Schema = {
  readonly $ref?: string
  readonly type?: string
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly anyOf?: readonly Schema[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly additionalProperties?: unknown
  readonly pattern?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly minimum?: number
  readonly maximum?: number
}
type Content = Readonly<Record<string, { readonly schema?: Schema }>>
export type Parameter = {
  readonly name: string
  readonly in: 'path' | 'query' | 'header' | 'cookie'
  readonly required?: boolean
  readonly schema: Schema
}
type DocumentedOperation = {
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content: Content }
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>
}
export type OpenApi = {
  readonly paths: Readonly<Record<string, Readonly<Record<string, DocumentedOperation>>>>
  readonly components?: { readonly schemas?: Readonly<Record<string, Schema>> }
}

export type Operation = {
  /** `POST /api/v1/users/`. */
  readonly name: string
  readonly method: string
  readonly path: string
  readonly parameters: readonly Parameter[]
  readonly body: Schema | undefined
  /** What is wrong with an answer, as the document has it; `undefined` where nothing is. */
  readonly faultOf: (status: number, contentType: string, body: string) => string | undefined
}

/** All operations of a document. A member that no schema names is a fault too. */
export const operationsOf = (document: OpenApi): Operation[] => {
  const components = { schemas: document.components?.schemas ?? {} }
  const closedComponents = closed(components)
  const ajv = new Ajv({ strict: false, validateFormats: false })
  const compile = (schema: Schema): ValidateFunction =>
    ajv.compile({ ...(closed(schema) as object), components: closedComponents })

  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters = [], requestBody, responses }]) => {
      const answers = new Map(
        Object.entries(responses).map(([status, { content = {} }]) => [
          Number(status),
          new Map(Object.entries(content).map(([type, { schema = {} }]) => [type, compile(schema)])),
        ]),
      )
      const body = requestBody?.content['application/json']?.schema
      return {
        name: `${method.toUpperCase()} ${path}`,
        method: method.toUpperCase(),
        path,
        parameters: parameters.map((one) => ({ ...one, schema: inlined(one.schema, components.schemas) })),
        body: body && inlined(body, components.schemas),
        faultOf: (status, contentType, text) => faultOf(answers, status, contentType, text),
      } satisfies Operation
    }),
  )
}

const faultOf = (
  answers: ReadonlyMap<number, ReadonlyMap<string, ValidateFunction>>,
  status: number,
  contentType: string,
  text: string,
): string | undefined => {
  const answer = answers.get(status)
  if (!answer) return `status ${status} is not documented`
  const type = contentType.split(';')[0]!.trim()
  const validate = answer.get(type)
  if (!validate) return `status ${status} as ${type || 'nothing'} is not documented`
  if (type !== 'application/json') return undefined
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    return `status ${status} is not the JSON that it says it is`
  }
  if (validate(body)) return undefined
  const [error] = validate.errors ?? []
  return `status ${status} is not as documented: ${error?.instancePath} ${error?.message} ${JSON.stringify(error?.params)}`
}

/** An object has the members that are named, unless the document says that others may come. */
const closed = (schema: unknown): unknown => {
  if (Array.isArray(schema)) return schema.map(closed)
  if (typeof schema !== 'object' || schema === null) return schema
  const inner = Object.fromEntries(Object.entries(schema).map(([name, one]) => [name, closed(one)]))
  const isOpen = !('properties' in schema) || !('type' in schema) || 'additionalProperties' in schema
  return isOpen ? inner : { ...inner, additionalProperties: false }
}

/** The schema with what it refers to put in. None of ours contains itself. */
const inlined = (schema: Schema, schemas: Readonly<Record<string, Schema>>): Schema => {
  if (schema.$ref !== undefined) return inlined(schemas[schema.$ref.split('/').at(-1)!]!, schemas)
  return {
    ...schema,
    ...(schema.anyOf && { anyOf: schema.anyOf.map((one) => inlined(one, schemas)) }),
    ...(schema.items && { items: inlined(schema.items, schemas) }),
    ...(schema.properties && {
      properties: Object.fromEntries(
        Object.entries(schema.properties).map(([name, one]) => [name, inlined(one, schemas)]),
      ),
    }),
  }
}
