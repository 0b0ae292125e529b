// The attacks of `npm run chaos`, each in its short form: on the server, on its stores and on the links to them.
import { attack } from './short.attack.ts'

attack('kill')
attack('outage')
attack('links')
attack('soak')
attack('second')
