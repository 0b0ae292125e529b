import { money } from '../format.ts'

// Columns side by side for each day or round. The numbers stand in a table beside, so to a screen reader it is a picture.

export type Series = { readonly name: string; readonly kind: 'turnover' | 'prizes' | 'margin' }
export type Group = { readonly name: string; readonly values: readonly number[] }

const HEIGHT = 200
const WIDTH = 1_000
/** Share of a group's room that its columns take. */
const FILLED = 0.72
const WIDEST = 48

export const Columns = (props: {
  readonly label: string
  readonly series: readonly Series[]
  readonly groups: readonly Group[]
}) => {
  const { groups, series } = props
  const all = groups.reduce<number[]>((some, { values }) => some.concat(values), [0])
  const most = Math.max(...all)
  const least = Math.min(...all)
  const room = WIDTH / Math.max(1, groups.length)
  const width = Math.min(WIDEST, (room * FILLED) / series.length)
  const scale = most === least ? 0 : HEIGHT / (most - least)
  const zero = most === least ? HEIGHT : most * scale
  return (
    <figure class="columns">
      <figcaption>
        {series.map(({ name, kind }) => (
          <span key={kind} class={`key ${kind}`}>
            {name}
          </span>
        ))}
        <span class="grow" />
        <span>{money(most)}</span>
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={props.label}>
        {groups.map(({ name, values }, group) => (
          <g key={name}>
            <title>{`${name}: ${values.map((value, i) => `${series[i]!.name} ${money(value)}`).join(', ')}`}</title>
            {values.map((value, i) => (
              <rect
                key={series[i]!.kind}
                class={series[i]!.kind}
                x={room * group + (room - width * series.length) / 2 + width * i}
                width={width}
                y={value >= 0 ? zero - value * scale : zero}
                height={Math.abs(value) * scale}
              />
            ))}
          </g>
        ))}
        <line x1={0} x2={WIDTH} y1={zero} y2={zero} />
      </svg>
      <p class="ends">
        <span>{groups[0]?.name}</span>
        <span>{groups.length > 1 && groups[groups.length - 1]!.name}</span>
      </p>
    </figure>
  )
}
