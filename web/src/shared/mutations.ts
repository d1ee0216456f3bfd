/** How a document may lie, for the tests of what checks it. */
import type { Json } from './proof.ts'

/** Every document that differs from `document` in one place: a value changed or left out, a list shorter or longer. */
export function* mutations(document: Json): Generator<[string, Json]> {
  const apply = (path: readonly (string | number)[], change: (holder: any, key: string | number) => void): [string, Json] => {
    const changed = structuredClone(document)
    const holder = path.slice(0, -1).reduce((value: any, key) => value[key], changed)
    change(holder, path.at(-1) as string | number)
    return [path.join('.'), changed]
  }
  for (const path of places(document)) {
    const value = path.reduce((inner: any, key) => inner[key], document)
    const isItem = typeof path.at(-1) === 'number'
    yield apply(path, (holder, key) => (isItem ? holder.splice(key, 1) : delete holder[key]))
    if (isItem) yield apply(path, (holder, key) => holder.splice(key, 0, structuredClone(holder[key])))
    if (typeof value === 'number') {
      yield apply(path, (holder, key) => (holder[key] += 1))
      yield apply(path, (holder, key) => (holder[key] = String(value)))
      if (value > 0) yield apply(path, (holder, key) => (holder[key] -= 1))
    } else if (typeof value === 'string') {
      const last = value.at(-1) === '1' ? '2' : '1'
      yield apply(path, (holder, key) => (holder[key] = value.slice(0, -1) + last))
      yield apply(path, (holder, key) => (holder[key] = `${value}0`))
      yield apply(path, (holder, key) => (holder[key] = `0${value}`))
    } else if (value === null) {
      yield apply(path, (holder, key) => (holder[key] = {}))
    }
  }
}

/** The path of everything inside `value`. */
function* places(value: unknown, path: readonly (string | number)[] = []): Generator<readonly (string | number)[]> {
  if (path.length > 0) yield path
  if (Array.isArray(value)) for (const [at, item] of value.entries()) yield* places(item, [...path, at])
  else if (value !== null && typeof value === 'object') for (const [key, item] of Object.entries(value)) yield* places(item, [...path, key])
}
