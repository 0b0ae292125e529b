import type { Checked, Compared, Proof } from '../../src/domain/racing/proof.ts'
import { language } from '../language.ts'
import { texts } from './texts.ts'

/** Each step of the calculation: what was published, what came out here, and whether they are the same. */
export const Steps = ({ proof, checked }: { readonly proof: Proof; readonly checked: Checked }) => {
  const words = texts.value
  const { commitment, kept, chain, places, order, isRight } = checked
  return (
    <section class="steps">
      <div role="status">
        <h2 class={isRight ? 'verdict right' : 'verdict wrong'}>
          {isRight ? words.right(proof.roundId) : words.wrong(proof.roundId)}
        </h2>
      </div>
      <p>
        {words.seed} <code>{proof.seed}</code>
      </p>
      <ol>
        <Step title={words.commitmentTitle} what={words.commitment} compared={commitment} />
        {kept && <Step title={words.keptTitle} what={words.kept} compared={kept} />}
        <Step title={words.chainTitle} what={words.chain(chain.hashes)} compared={chain} />
        {places.length > 0 && (
          <li>
            <h3>{words.placesTitle}</h3>
            <p>{words.places}</p>
            <Places proof={proof} places={places} />
          </li>
        )}
        {order && <Step title={words.orderTitle} what={words.order} compared={order} />}
      </ol>
      {!order && <p>{words.voided}</p>}
      <p class="by-hand">{words.byHand(proof.roundId)}</p>
    </section>
  )
}

const Step = ({
  title,
  what,
  compared: { said, computed, isRight },
}: {
  readonly title: string
  readonly what: string
  readonly compared: Compared
}) => (
  <li>
    <h3>
      {title}{' '}
      <span class={isRight ? 'mark right' : 'mark wrong'}>
        {isRight ? `✓ ${texts.value.isRight}` : `✗ ${texts.value.isWrong}`}
      </span>
    </h3>
    <p>{what}</p>
    <dl>
      <dt>{texts.value.said}</dt>
      <dd>
        <code>{said}</code>
      </dd>
      <dt>{texts.value.computed}</dt>
      <dd>
        <code>{computed}</code>
      </dd>
    </dl>
  </li>
)

const Places = ({
  proof: { field },
  places,
}: {
  readonly proof: Proof
  readonly places: Checked['places']
}) => {
  const words = texts.value
  const plain = (number: number): string => new Intl.NumberFormat(language.value).format(number)
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">{words.place}</th>
          <th scope="col">{words.block}</th>
          <th scope="col">{words.ticket}</th>
          <th scope="col">{words.runner}</th>
          <th scope="col">{words.chance}</th>
        </tr>
      </thead>
      <tbody>
        {places.map(({ number, chance, block, ticket, chances }, place) => (
          <tr key={number}>
            <td>{place + 1}</td>
            <td>{block}</td>
            <td>{words.of(plain(ticket), plain(chances))}</td>
            <th scope="row">
              {number} {field.find((one) => one.number === number)?.name}
            </th>
            <td>{plain(chance)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
