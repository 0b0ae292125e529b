export const fr = {
  title: 'Bureau',
}
