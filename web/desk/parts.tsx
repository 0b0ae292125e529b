import type { ComponentChildren } from 'preact'
import { time } from '../format.ts'
import type { Seen } from './answer.ts'
import { texts } from './texts.ts'
import { complaintOf } from './words.ts'

// What the sections of the desk are made of.

/** Of when the figures are, and plainly so where they are old. */
export const AsOf = ({ seen }: { readonly seen: Seen<unknown> }) => {
  const { asOf, notCurrent, loading } = texts.value
  if (!seen.refusal) return <p class="as-of">{seen.at === undefined ? loading : asOf(time(seen.at))}</p>
  return (
    <p class="as-of old" role="alert">
      {complaintOf(seen.refusal)} {seen.at !== undefined && notCurrent(time(seen.at))}
    </p>
  )
}

export const Panel = (props: {
  readonly title: string
  readonly seen?: Seen<unknown>
  readonly side?: ComponentChildren
  readonly children?: ComponentChildren
}) => (
  <section class="panel" aria-label={props.title}>
    <header class="panel-head">
      <h2>{props.title}</h2>
      {props.seen && <AsOf seen={props.seen} />}
      <span class="grow" />
      {props.side}
    </header>
    {props.children}
  </section>
)

/** What came of something that was asked of the server. */
export type Said = { readonly done?: string; readonly complaint?: string }

export const Outcome = ({ done, complaint }: Said) => (
  <>
    <p role="status" class={done ? 'done' : ''}>
      {done}
    </p>
    <p role="alert">{complaint}</p>
  </>
)

/** A figure with its name. */
export const Figure = (props: { readonly name: string; readonly children: ComponentChildren }) => (
  <div class="figure">
    <dt>{props.name}</dt>
    <dd>{props.children}</dd>
  </div>
)

export type Column = { readonly name: string; readonly isNumber?: boolean }

/** A table that may be wider than the page; it is scrolled with the keyboard too. */
export const Table = (props: {
  readonly label: string
  readonly columns: readonly Column[]
  /** What is said where there is nothing in it. */
  readonly empty?: string | false | null | undefined
  readonly foot?: ComponentChildren
  readonly children: ComponentChildren
}) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: whatever scrolls must be reached by the keyboard
  <section class="scrolls" aria-label={props.label} tabIndex={0}>
    <table>
      <thead>
        <tr>
          {props.columns.map(({ name, isNumber }) => (
            <th key={name} scope="col" class={isNumber ? 'right' : ''}>
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>{props.children}</tbody>
      {props.foot && <tfoot>{props.foot}</tfoot>}
    </table>
    {props.empty && <p class="empty">{props.empty}</p>}
  </section>
)

/** Later and earlier pages of what is listed latest first. */
export const Pages = (props: {
  readonly latest?: string | undefined
  readonly earlier?: string | undefined
}) => (
  <p class="pages">
    {props.latest !== undefined && <a href={props.latest}>{texts.value.latest}</a>}
    {props.earlier !== undefined && <a href={props.earlier}>{texts.value.earlier}</a>}
  </p>
)
