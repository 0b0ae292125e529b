import type { ReadonlySignal } from '@preact/signals'
import { type ComponentChildren, render } from 'preact'
import './base.css'
import { chooseLanguage, language } from './language.ts'
import type { LiveState } from './live.ts'
import { shared } from './refusals.ts'
import { person, signOut } from './session.tsx'
import { loadShop, shop } from './shop.ts'

// What every page has around its own: the line at the top, and how it begins.

/** Shows a page as soon as the server said what shop this is. */
export const showPage = (page: () => ComponentChildren): void => {
  void loadShop()
  const Page = () =>
    shop.value ? (
      <>
        {shop.value.isDemonstration && <p class="demonstration">{shared.value.demonstration}</p>}
        {page()}
      </>
    ) : (
      <p class="notice">{shared.value.loading}</p>
    )
  render(<Page />, document.getElementById('page')!)
}

/** The line at the top of a page for people who work here. */
export const TopLine = (props: {
  readonly title: string
  readonly live?: ReadonlySignal<LiveState> | undefined
  readonly children?: ComponentChildren
}) => (
  <header class="top-line">
    <strong class="shop">{shop.value?.name}</strong>
    <h1>{props.title}</h1>
    {props.children}
    <span class="grow" />
    {props.live && <LiveSign state={props.live.value} />}
    <LanguageSwitch />
    {person.value && (
      <span class="who">
        {person.value.name}{' '}
        <button type="button" class="plain" onClick={() => void signOut()}>
          {shared.value.signIn.leave}
        </button>
      </span>
    )}
  </header>
)

/** Whether what is shown is of this moment: in words, not by colour alone. */
export const LiveSign = ({ state }: { readonly state: LiveState }) => (
  <span class={`live ${state}`} role="status">
    {shared.value.live[state]}
  </span>
)

export const LanguageSwitch = () => (
  <fieldset class="languages" aria-label={shared.value.language}>
    {(['fr', 'en'] as const).map((one) => (
      <button
        key={one}
        type="button"
        class="plain"
        lang={one}
        aria-pressed={language.value === one}
        onClick={() => chooseLanguage(one)}
      >
        {one === 'fr' ? 'Français' : 'English'}
      </button>
    ))}
  </fieldset>
)
