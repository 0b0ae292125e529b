import { useMemo } from 'preact/hooks'
import { encode } from 'uqr'

/** A QR code. */
export const Code = ({ text }: { readonly text: string }) => {
  const { path, size } = useMemo(() => {
    const { data, size } = encode(text, { border: 2 })
    const path = data
      .map((row, y) => row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : '')).join(''))
      .join('')
    return { path, size }
  }, [text])
  return (
    <svg class="code" viewBox={`0 0 ${size} ${size}`} shape-rendering="crispEdges" aria-hidden="true">
      <rect width={size} height={size} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  )
}
