// Draws the state machines from the machines themselves: `node --import tsx scripts/diagram.ts` writes docs/machines.md.
import { readFileSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate'
import { roundMachine } from '../src/actors/racing/round.machine.ts'
import { trackMachine } from '../src/actors/racing/track.machine.ts'

const page = fileURLToPath(new URL('../docs/machines.md', import.meta.url))

/** Mermaid takes a hyphen in an id for the beginning of an arrow. */
const idOf = (state: string): string => state.replaceAll('-', '_')
const nameOf = (part: unknown): string =>
  typeof part === 'object' && part !== null && 'type' in part ? String(part.type) : String(part)
/** The actions that somebody named; those of the machinery, which arm timers, are functions. */
const namesOf = (actions: readonly unknown[]): string =>
  actions
    .filter((action) => typeof action !== 'function')
    .map(nameOf)
    .join(', ')

const label = (cause: string, { guard, actions }: AnyTransitionDefinition): string => {
  const named = namesOf(actions)
  const condition = guard ? `[${nameOf(guard)}]` : ''
  const effect = named && `/ ${named}`
  return [cause, condition, effect].filter(Boolean).join(' ')
}

const arrow = (from: AnyStateNode, cause: string, transition: AnyTransitionDefinition): string[] =>
  (transition.target ?? []).map((to) => {
    const text = label(cause, transition)
    return `  ${idOf(from.key)} --> ${idOf(to.key)}${text && `: ${text}`}`
  })

const causeOf = (event: string): string => {
  const after = /^xstate\.after\.([^.]+)\./.exec(event)
  return after ? `after ${after[1]}` : event
}

const linesOf = (state: AnyStateNode): string[] => {
  const id = idOf(state.key)
  const entry = namesOf(state.entry)
  const lines = id === state.key ? [] : [`  state "${state.key}" as ${id}`]
  if (entry) lines.push(`  ${id}: ${state.key}, on entry ${entry}`)
  for (const transition of state.always ?? []) lines.push(...arrow(state, '', transition))
  for (const [event, transitions] of state.transitions)
    for (const transition of transitions) lines.push(...arrow(state, causeOf(event), transition))
  return lines
}

const diagramOf = (machine: AnyStateMachine): string => {
  const states = Object.values(machine.root.states)
  const [first] = machine.root.initial.target ?? []
  const lines = [
    '```mermaid',
    'stateDiagram-v2',
    `  [*] --> ${idOf(first!.key)}`,
    ...states.flatMap(linesOf),
    '```',
  ]
  return lines.join('\n')
}

/** The whole page. */
export const machinesPage = (): string => `# The state machines

Generated from the machines in \`src/actors/racing\` by \`node --import tsx scripts/diagram.ts\`; a test fails where this page
is out of date. An arrow reads: event or delay, [guard], / actions.

## A round

${diagramOf(roundMachine)}

In every state commands (\`ask\`) are answered from what the round holds, and move no state.

## A track

${diagramOf(trackMachine)}
`

/** The page as it was written last. */
export const writtenPage = (): string => readFileSync(page, 'utf8')

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(page, machinesPage())
