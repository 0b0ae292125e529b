import { attack } from './short.attack.ts'

attack('soak')
