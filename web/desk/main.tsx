import './desk.css'
import { showPage } from '../frame.tsx'
import { SignedIn } from '../session.tsx'
import { Desk } from './desk.tsx'

showPage(() => (
  <SignedIn adminsOnly>
    <Desk />
  </SignedIn>
))
