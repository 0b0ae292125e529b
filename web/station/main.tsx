import { showPage, TopLine } from '../frame.tsx'
import { SignedIn } from '../session.tsx'
import { texts } from './texts.ts'

showPage(() => (
  <SignedIn>
    <TopLine title={texts.value.title} />
  </SignedIn>
))
