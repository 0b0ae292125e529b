import type { Attack } from './attack.ts'
import { clients } from './clients.attack.ts'
import { clock } from './clock.attack.ts'
import { controls } from './controls.attack.ts'
import { disk } from './disk.attack.ts'
import { journal } from './journal.attack.ts'
import { kill } from './kill.attack.ts'
import { links, outage } from './outage.attack.ts'
import { second } from './second.attack.ts'
import { soak } from './soak.attack.ts'
import { stop } from './stop.attack.ts'

/** Every attack there is, in the order in which they are made. */
export const attacks: readonly Attack[] = [
  kill,
  outage,
  links,
  clients,
  disk,
  journal,
  clock,
  stop,
  second,
  soak,
  controls,
]
