import { showPage, TopLine } from '../frame.tsx'
import { texts } from './texts.ts'

showPage(() => <TopLine title={texts.value.title} />)
