// Colours of the saddle cloths, each with one that can be read upon it. The number is always written there too.
const CLOTHS: readonly (readonly [string, string])[] = [
  ['#d62828', '#ffffff'],
  ['#ffffff', '#111111'],
  ['#1d4ed8', '#ffffff'],
  ['#ffd60a', '#111111'],
  ['#15803d', '#ffffff'],
  ['#111111', '#ffd60a'],
  ['#ff9f1c', '#111111'],
  ['#f9a8d4', '#111111'],
  ['#67e8f9', '#111111'],
  ['#6d28d9', '#ffffff'],
]

/** Ground and ink of the `index`th in the field. */
export const clothOf = (index: number): readonly [string, string] => CLOTHS[index % CLOTHS.length]!
