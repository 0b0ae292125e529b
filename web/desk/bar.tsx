/** A bar as long as its share of the most. The number stands beside it in words. */
export const Bar = (props: {
  readonly value: number
  readonly most: number
  readonly kind: 'stake' | 'liability'
}) => {
  const share = props.most <= 0 ? 0 : Math.min(1, Math.max(0, props.value / props.most))
  return (
    <span class="bar" aria-hidden="true">
      <span class={props.kind} style={{ width: `${share * 100}%` }} />
    </span>
  )
}
