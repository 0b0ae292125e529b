import { useEffect, useMemo } from 'preact/hooks'
import { TopLine } from '../frame.tsx'
import { shop } from '../shop.ts'
import { Alarms } from './alarms.tsx'
import { Figures } from './figures.tsx'
import { openFloor } from './floor.ts'
import { LiveRound } from './live-round.tsx'
import { linkTo, place, SECTIONS } from './place.ts'
import { Receipts } from './receipts.tsx'
import { Stored } from './stored.tsx'
import { texts } from './texts.ts'
import { Users } from './users.tsx'

/** The page for admins: a line of alarms, five sections, and one live connection for the track that is looked at. */
export const Desk = () => {
  const { section, asked } = place.value
  const tracks = shop.value?.tracks ?? []
  const track = tracks.find((one) => one === asked.track) ?? tracks[0] ?? 'main'
  const floor = useMemo(() => openFloor(track), [track])
  useEffect(() => {
    floor.live.start()
    return () => floor.live.stop()
  }, [floor])
  const { sections, title, jobBoard } = texts.value
  useEffect(() => {
    document.title = `${sections[section]} · ${title} · ${shop.value?.name ?? ''}`
  }, [section, sections, title])
  return (
    <>
      <TopLine title={title} live={floor.live.state} />
      <Alarms />
      <nav class="sections" aria-label={title}>
        {SECTIONS.map((one) => (
          <a key={one} href={linkTo(one)} aria-current={one === section ? 'page' : undefined}>
            {sections[one]}
          </a>
        ))}
        <span class="grow" />
        <a href="/admin/jobs">{jobBoard}</a>
      </nav>
      <main class="desk">
        {section === 'live' && <LiveRound key={track} floor={floor} />}
        {section === 'figures' && <Figures />}
        {section === 'receipts' && <Receipts />}
        {section === 'users' && <Users />}
        {section === 'stored' && <Stored happened={floor.happened.value} />}
      </main>
    </>
  )
}
