import { odds, plainMoney } from '../format.ts'
import { shop } from '../shop.ts'
import { bets, field, mostOn, picked } from './draft.ts'
import { texts } from './texts.ts'

/** Who runs, at which odds; a touch picks a number. */
export const Field = (props: { readonly onPick: (number: number) => void }) => (
  <section class="field" aria-labelledby="field-title">
    <h2 id="field-title">{texts.value.field}</h2>
    <ul>
      {field.value.map(({ number, name, coeff }) => {
        const most = mostOn(number)
        const staked = bets.value.find((bet) => bet.number === number)
        return (
          <li key={number}>
            <button
              type="button"
              aria-pressed={picked.value?.number === number}
              class={staked ? 'staked' : ''}
              onClick={() => props.onPick(number)}
            >
              <span class="figure">{number}</span>
              <span class="name">{name}</span>
              <span class="odds">
                <span class="hidden">{texts.value.odds} </span>
                {odds(coeff)}
              </span>
              {most < shop.value!.limits.maxStake && (
                <span class="most">{texts.value.upTo(plainMoney(most))}</span>
              )}
              {staked && <span class="stake">{plainMoney(staked.amount)}</span>}
            </button>
          </li>
        )
      })}
    </ul>
  </section>
)
