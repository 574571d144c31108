/** Elements without markup: what stands in a pack is text here, and never becomes anything else. */

type Child = Node | string | null

/** An element with attributes (`class`, `href`, …; one that is null is left out) and what is in it. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string | null>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes))
    if (value !== null) element.setAttribute(name, value)
  element.append(...children.filter((child) => child !== null))
  return element
}

/** A sign by its name; the page carries each as a template. */
export function sign(name: string): Node {
  const template = document.querySelector<HTMLTemplateElement>(`#sign-${name}`)
  return template === null ? document.createTextNode('') : template.content.cloneNode(true)
}
