export const fr = {
  title: 'Écran des courses',
}
