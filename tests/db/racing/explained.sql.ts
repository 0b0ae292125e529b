// A connection that has every statement explained before it runs it.
import type { Sql } from '../../../src/db/postgres.ts'

type Tagged = (strings: TemplateStringsArray, ...values: unknown[]) => PromiseLike<unknown> & object

/** Passes everything on to `sql`; plans of what was asked are told to `onPlan`. */
export const explained = (sql: Sql, onPlan: (plan: string) => void): Sql => {
  const real = sql as unknown as Tagged
  const tagged: Tagged = (strings, ...values) => {
    const query = real(strings, ...values)
    // What is only a piece of another statement is never awaited, and so never explained.
    return Object.defineProperty(query, 'then', {
      value: (...handlers: Parameters<PromiseLike<unknown>['then']>) =>
        explain(real, strings, values, onPlan)
          .then(() => real(strings, ...values))
          .then(...handlers),
    })
  }
  return Object.assign(tagged, {
    begin: (work: (tx: Sql) => unknown) =>
      sql.begin((tx) => work(explained(tx as unknown as Sql, onPlan)) as Promise<unknown>),
  }) as unknown as Sql
}

const EXPLAINABLE = /^\s*(with|select|insert|update|delete)\b/

const explain = async (
  real: Tagged,
  strings: TemplateStringsArray,
  values: unknown[],
  onPlan: (plan: string) => void,
): Promise<void> => {
  if (!EXPLAINABLE.test(textOf(strings, values))) return
  const rows = (await real`explain ${real(strings, ...values)}`) as Record<string, string>[]
  onPlan(rows.map((row) => row['QUERY PLAN']).join('\n'))
}

/** How a statement begins, fragments included. */
const textOf = (strings: readonly string[], values: readonly unknown[]): string => {
  const [head = ''] = strings
  if (head.trim() !== '') return head
  const first = values[0] as { strings?: readonly string[]; args?: readonly unknown[] } | undefined
  return first?.strings ? textOf(first.strings, first.args ?? []) : head
}
