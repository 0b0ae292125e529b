export const fr = {
  title: 'Station',
}
