import { beforeAll, describe, expect, it } from 'vitest'
import { Cashier } from '../support/counter.ts'
import { type Json, Station } from '../support/station.ts'
import type { VisitOptions } from '../support/visit.ts'
import { sharedServer, visitor } from '../support/visitor.ts'

const TRACKS = ['Nord', 'Élite 2'] as const

const visitors = visitor()
const shared = sharedServer({ env: { TRACKS: TRACKS.join(','), ROUND_WAIT_DURATION_MS: '600000' } })
let admin: Station
let api: Station

beforeAll(async () => {
  const { server } = shared
  ;[admin, api] = await Promise.all([Station.signIn(server, 'admin'), Station.signIn(server, 'caisse')])
})

const open = async (path: string, options: Partial<VisitOptions> = {}) => {
  const opened = await visitors.open({ url: `${shared.server.url}/${path}`, ...options })
  return { ...opened, cashier: new Cashier(opened.page) }
}
const roundOn = async (track: string): Promise<Json> =>
  (await admin.ask(`/api/v1/rounds/current?track=${encodeURIComponent(track)}`)).data

describe('a shop with two tracks', () => {
  it('sells at the station on the track that was chosen, a receipt begun before too, and keeps the choice', async () => {
    const [first, second] = [await roundOn(TRACKS[0]), await roundOn(TRACKS[1])]
    const { page, cashier, errors } = await open('station', { station: api })
    await cashier.reads('.clock', `Course ${first.id} `)
    await cashier.bet(1, '25')
    await cashier.press('Enter')
    const there = await cashier.sold()

    await cashier.bet(2, '10')
    const choice = page.getByLabel('Piste')
    await choice.focus()
    await page.keyboard.press('ArrowDown')
    expect(await choice.inputValue()).toBe(TRACKS[1])
    await cashier.reads('.clock', `Course ${second.id} `)
    await page.locator('input').first().focus()
    expect(await cashier.text('.bets tbody')).toContain('2 Cheval 2 10,00')
    await cashier.press('Enter')
    await cashier.reads('.outcome', '10,00')
    const here = await cashier.sold()
    expect((await api.receipt(there)).data).toMatchObject({ roundId: first.id, track: TRACKS[0] })
    expect((await api.receipt(here)).data).toMatchObject({ roundId: second.id, track: TRACKS[1] })

    await page.reload()
    await cashier.reads('.clock', `Course ${second.id} `)
    expect(await choice.inputValue()).toBe(TRACKS[1])
    expect(errors).toEqual([])
  }, 90_000)

  it('cancels at the station what was sold on another track than the one that is shown', async () => {
    const { id } = await api.sold([[3, 1_500]], { track: TRACKS[1] })
    const { cashier } = await open('station', { station: api })
    await cashier.reads('.clock', 'Paris ouverts')
    await cashier.scan(`0${id}`)
    await cashier.reads('.verdict', `PAS ENCORE COURUE 0${id} · Course`)
    expect(await cashier.text('.verdict .facts >> nth=0')).toContain(TRACKS[1])
    await cashier.tabTo('Annuler')
    await cashier.press('Enter')
    await cashier.reads('.verdict', 'ANNULÉ : rendez 15,00 HTG')
    expect((await api.receipt(id)).data.status).toBe('cancelled')
  }, 90_000)

  it('shows on a screen the track that its address names, the first without one, and names them where there is no such', async () => {
    for (const [query, track] of [
      ['', TRACKS[0]],
      [`?track=${encodeURIComponent(TRACKS[1])}`, TRACKS[1]],
    ] as const) {
      const { page } = await open(`screen${query}`)
      await page.getByRole('heading', { name: `Course ${(await roundOn(track)).id}` }).waitFor()
      await page.locator('.head .track', { hasText: track }).waitFor()
      await page.locator('.live').waitFor({ state: 'hidden' })
    }
    const { page } = await open('screen?track=Sud')
    await page.getByText(TRACKS.join(', ')).waitFor()
    for (const track of TRACKS) {
      await page.goto(shared.server.url)
      await page.getByRole('link', { name: `Écran des courses : ${track}` }).click()
      await page.locator('.head .track', { hasText: track }).waitFor()
    }
  }, 90_000)

  it('pauses and shows at the desk the track that is looked at, and leaves the other alone', async () => {
    const second = await roundOn(TRACKS[1])
    await api.sold([[1, 98_700]], { track: TRACKS[1] })
    const { page } = await open('desk', { station: admin })
    await page.getByRole('link', { name: TRACKS[1] }).click()
    await page.getByRole('heading', { name: `Course ${second.id}`, exact: true }).waitFor()
    await page.getByText('987,00').first().waitFor()
    await page.getByRole('button', { name: 'Mettre en pause' }).click()
    await page.getByText(/En pause\. Depuis le/).waitFor()
    const paused = async (): Promise<boolean[]> =>
      (await admin.ask('/api/v1/tracks')).data.tracks.map((one: Json) => one.paused)
    expect(await paused()).toEqual([false, true])

    // A reload and the way back lead to the same track.
    await page.reload()
    await page.getByRole('heading', { name: `Piste ${TRACKS[1]}` }).waitFor()
    await page.getByText(/En pause\. Depuis le/).waitFor()
    await page.getByRole('link', { name: TRACKS[0] }).click()
    await page.getByRole('heading', { name: `Piste ${TRACKS[0]}` }).waitFor()
    await page.getByText('En service').waitFor()
    expect(await page.getByText('987,00').count()).toBe(0)
    await page.goBack()
    await page.getByRole('button', { name: 'Reprendre' }).click()
    await page.getByText('En service').waitFor()
    expect(await paused()).toEqual([false, false])
  }, 90_000)
})
