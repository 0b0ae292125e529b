export const fr = {
  title: 'Vérifier une course',
}
