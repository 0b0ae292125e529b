import { beforeAll, describe, expect, it } from 'vitest'
import { paperOf, readCode } from '../support/paper.ts'
import { eventually, Program, startServer } from '../support/server.ts'
import { ask, Station } from '../support/station.ts'
import { barriersOf, type Visit, type VisitOptions } from '../support/visit.ts'
import { sharedServer, visitor } from '../support/visitor.ts'

const visitors = visitor()
const shared = sharedServer({
  env: { ROUND_WAIT_DURATION_MS: '1500', RACE_DURATION_MS: '1000', RESULTS_DURATION_MS: '500' },
})
/** A round that is over, as its server proves it. */
let proof: { roundId: number; commitment: string; seed: string; order: number[] }

beforeAll(async () => {
  // The second of its track, so that its chain has more than one link.
  proof = await eventually('a round is over', async () => {
    const { data } = await ask(`${shared.server.url}/api/v1/rounds/2/proof`)
    return data?.order && data
  })
}, 120_000)

const open = (query = '', options: Partial<VisitOptions> = {}): Promise<Visit> =>
  visitors.open({ url: `${shared.server.url}/verify${query}`, ...options })

describe('/verify', () => {
  it.each([
    ['fr-HT', `Course 2 : tout est exact.`, '✓ exact'],
    ['en-GB', `Race 2: all of it is right.`, '✓ right'],
  ])(
    'shows each step to a browser of %s',
    async (locale, verdict, mark) => {
      const { page, errors, origins } = await open('', { locale })
      await page.locator('input[name=round]').fill('2')
      await page.keyboard.press('Enter')
      await page.getByRole('heading', { name: verdict }).waitFor()
      expect(await page.locator('.mark').allInnerTexts()).toEqual([mark, mark, mark])
      expect(await page.locator('tbody tr').count()).toBe(proof.order.length)
      expect(await page.locator('tbody tr').first().innerText()).toContain(`${proof.order[0]} Cheval`)
      expect(await page.locator('.steps').innerText()).toContain(proof.seed)
      expect(await barriersOf(page)).toEqual([])
      expect(errors).toEqual([])
      expect([...origins]).toEqual([shared.server.url])
    },
    60_000,
  )

  it('compares what a screen said before the race, where its code was scanned', async () => {
    const right = await open(`?round=2&commitment=${proof.commitment}`)
    await right.page.getByRole('heading', { name: 'tout est exact' }).waitFor()
    expect(await right.page.locator('.mark').count()).toBe(4)
    const wrong = await open(`?round=2&commitment=${proof.seed}`)
    await wrong.page.getByRole('heading', { name: 'quelque chose ne va pas' }).waitFor()
    expect(await wrong.page.locator('.mark.wrong').count()).toBe(1)
    expect(await barriersOf(wrong.page)).toEqual([])
  }, 60_000)

  it('is reached by the code on a receipt, and compares what is printed with what is revealed', async () => {
    const cashier = await Station.signIn(shared.server, 'caisse')
    const { id: roundId, commitment } = await cashier.openRound(700)
    const { id } = await cashier.sold()
    const paper = visitors.keep(await paperOf(visitors.browser, cashier, id))
    expect(await readCode(paper.page, '.code')).toBe(`0${id}`)
    const link = await readCode(paper.page, '.link')
    expect(link).toBe(`${shared.server.url}/verify?round=${roundId}&commitment=${commitment}`)

    await cashier.untilRound(roundId, 'settled')
    const scanned = await open(link.slice(`${shared.server.url}/verify`.length))
    await scanned.page.getByRole('heading', { name: `Course ${roundId} : tout est exact.` }).waitFor()
    expect(await scanned.page.locator('.mark').count()).toBe(4)
  }, 60_000)

  it('takes a code that a scanner types into its field, one after another', async () => {
    const { page } = await open()
    await page.locator('input[name=round]:focus').waitFor()
    const scan = async (commitment: string, verdict: string): Promise<void> => {
      await page.keyboard.type(`https://galop.example/verify?round=2&commitment=${commitment}\n`)
      await page.getByRole('heading', { name: verdict }).waitFor()
      expect(await page.locator('input[name=round]').inputValue()).toBe('2')
    }
    await scan(proof.commitment.toUpperCase(), 'tout est exact')
    expect(await page.locator('.mark').count()).toBe(4)
    await scan(proof.seed, 'quelque chose ne va pas')
    expect(await page.locator('.mark.wrong').count()).toBe(1)
    // The same number again is about the same paper; another number is not.
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'quelque chose ne va pas' }).waitFor()
    await page.keyboard.type('1\n')
    await page.getByRole('heading', { name: 'Course 1 : tout est exact' }).waitFor()
    expect(await page.locator('.mark').count()).toBe(3)
  }, 60_000)

  it('finds out a server that lies of the order', async () => {
    const { page } = await open()
    await page.route('**/proof', async (route) => {
      const answer = await (await route.fetch()).json()
      answer.data.order.reverse()
      await route.fulfill({ json: answer })
    })
    await page.locator('input[name=round]').fill('2')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'quelque chose ne va pas' }).waitFor()
    expect(await page.locator('.mark.wrong').count()).toBe(1)
  }, 60_000)

  it('says why it cannot: no number, no such race, a race that is not over', async () => {
    const { page } = await open()
    const tryWith = async (text: string, said: string): Promise<void> => {
      await page.locator('input[name=round]').fill(text)
      await page.keyboard.press('Enter')
      await page.getByRole('alert').getByText(said).waitFor()
    }
    await tryWith('abc', 'des chiffres seulement')
    await tryWith('123456789', 'Aucune course n’a ce numéro')
    await tryWith('01034521', 'tapez plutôt le numéro de la course')
    const { data } = await ask(`${shared.server.url}/api/v1/rounds/current`)
    await page.route('**/proof', async (route) => {
      const answer = await (await route.fetch()).json()
      await route.fulfill({ json: { ...answer, data: { ...answer.data, seed: null, order: null } } })
    })
    await tryWith(String(data.roundId), 'pas encore révélé')
  }, 60_000)
})

describe('a shop that is reached at another address', () => {
  it('has it in the codes of receipts and screens, which lead to a page that waits for the race', async () => {
    const shop = await startServer({ env: { PUBLIC_URL: 'https://galop.example/' } })
    try {
      const cashier = await Station.signIn(shop, 'caisse')
      const { id } = await cashier.sold()
      const paper = visitors.keep(await paperOf(visitors.browser, cashier, id))
      const { data: round } = await cashier.ask('/api/v1/rounds/current')
      const query = `?round=${round.roundId}&commitment=${round.commitment}`
      expect(await readCode(paper.page, '.link')).toBe(`https://galop.example/verify${query}`)
      await paper.page.goto(`${shop.url}/screen`)
      expect(await readCode(paper.page, '.commitment .code')).toBe(`https://galop.example/verify${query}`)

      await paper.page.goto(`${shop.url}/verify${query}`)
      await paper.page.getByRole('alert').getByText('son secret n’est pas encore révélé').waitFor()
      expect(await paper.page.locator('.steps').count()).toBe(0)
    } finally {
      await shop.stop()
    }
  }, 60_000)
})

describe('npm run verify-round', () => {
  const run = async (...args: string[]) => {
    const program = new Program([process.execPath, 'dist/verify-round.js', ...args], {})
    const { code } = await program.end(60_000)
    return { code, stdout: program.stdout, stderr: program.stderr }
  }

  it('says the same in a terminal, with an exit code', async () => {
    const { code, stdout } = await run('2', '--url', shared.server.url, '--commitment', proof.commitment)
    expect(stdout).toContain('All of it is right.')
    expect(stdout).toContain(proof.order.join(' '))
    expect(code).toBe(0)
    const wrong = await run('2', '--url', shared.server.url, '--commitment', proof.seed)
    expect(wrong.stdout).toContain('NOT RIGHT')
    expect(wrong.code).toBe(1)
  }, 120_000)

  it('says why it cannot', async () => {
    expect(await run('987654', '--url', shared.server.url)).toMatchObject({ code: 2, stdout: '' })
    expect((await run('2', '--url', 'http://127.0.0.1:1')).stderr).toMatch(/^galop: /)
    expect((await run()).stderr).toMatch(/^Usage: /)
  }, 120_000)
})
