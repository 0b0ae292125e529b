// The manager of a shop: now and then voids a round, and asks again until there is an answer that it can believe.
import { isRefusal } from '../src/domain/racing/refusals.ts'
import type { World } from './world.ts'

/** In some runs, once or twice, at any moment of a round. */
export const planVoids = (world: World): void => {
  const chance = world.chance('manager')
  if (!chance.happens(0.3)) return
  const times = chance.between(1, 2)
  for (let i = 0; i < times; i++)
    world.scheduler.at(
      chance.between(0, world.activeMs),
      'the manager voids a round',
      () => void voidOne(world),
      world.scheduler.owner,
    )
}

const voidOne = async (world: World): Promise<void> => {
  const { admin, scheduler, stations, verdict, secrets } = world
  const chance = world.chance('manager')
  const station = chance.pick(stations)
  const round = station.server?.racing.current(chance.pick(station.shop.tracks))
  if (!round) return
  const { id } = round
  let first: string | undefined
  for (let attempt = 0; attempt < 8; attempt++) {
    const reply = await station.ask(`void ${id}`, ({ racing }) =>
      racing.voidRound(id, { type: 'VoidRound', by: admin.id, reason: 'the manager says so' }),
    )
    if (reply.kind === 'answered') {
      const { answer } = reply
      // Handed over: from here on the archive says what became of it.
      if (!answer) return
      secrets.inspect(answer, 'the answer to a void')
      verdict.see(isRefusal(answer) ? 'voids refused' : 'rounds voided')
      const told = JSON.stringify(answer)
      verdict.check('S12', first === undefined || first === told, () => [
        `voiding round ${id} was answered ${told}, and before ${first}`,
        id,
      ])
      first = told
      if (chance.happens(0.5)) return
    }
    await scheduler.pause(chance.between(1, 2_000), 'the manager waits')
  }
}
