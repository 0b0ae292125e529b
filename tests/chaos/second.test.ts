import { attack } from './short.attack.ts'

attack('second')
