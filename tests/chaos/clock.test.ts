import { attack } from './short.attack.ts'

attack('clock')
