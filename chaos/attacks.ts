import type { Attack } from './attack.ts'
import { kill } from './kill.attack.ts'

/** Every attack there is, in the order in which they are made. */
export const attacks: readonly Attack[] = [kill]
