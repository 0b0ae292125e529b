// The attacks of `npm run chaos`, each in its short form: on the clients, the disk, the journal, the clock and the end.
import { attack } from './short.attack.ts'

attack('clients')
attack('disk')
attack('journal')
attack('clock')
attack('stop')
