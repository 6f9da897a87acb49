/** Tabs of the same example in several languages. The chosen language applies to all pages. */

import { browserStorage } from "../state/storage";

const NAMES: Record<string, string> = { sh: "curl", python: "Python", javascript: "JavaScript" };
const KEY = "language";

/** Group blocks of code that follow each other and have different languages. */
export function groupLanguages(root: Element): void {
  const done = new Set<Element>();
  const groups: HTMLPreElement[][] = [];
  for (const first of root.querySelectorAll<HTMLPreElement>("pre[data-language]")) {
    if (done.has(first)) continue;
    const group = [first];
    const languages = new Set([first.dataset.language]);
    for (let next = first.nextElementSibling; next; next = next.nextElementSibling) {
      const language = (next as HTMLElement).dataset.language;
      if (next.tagName !== "PRE" || !language || !NAMES[language] || languages.has(language)) break;
      group.push(next as HTMLPreElement);
      languages.add(language);
    }
    for (const block of group) done.add(block);
    if (group.length > 1 && NAMES[first.dataset.language!]) groups.push(group);
  }
  const tabs = groups.map((group, index) => new Tabs(group, index));
  const choose = (language: string) => {
    browserStorage.set(KEY, language);
    for (const one of tabs) one.show(language);
  };
  for (const one of tabs) one.onChoose = choose;
  const chosen = browserStorage.get(KEY);
  for (const one of tabs) one.show(chosen ?? "sh");
}

class Tabs {
  onChoose: (language: string) => void = () => {};
  readonly #buttons = new Map<string, HTMLButtonElement>();
  readonly #panels = new Map<string, HTMLElement>();

  constructor(blocks: HTMLPreElement[], index: number) {
    const list = document.createElement("div");
    list.className = "tabs";
    list.setAttribute("role", "tablist");
    list.setAttribute("aria-label", "Language");
    blocks[0]!.before(list);
    for (const block of blocks) {
      const language = block.dataset.language!;
      const button = document.createElement("button");
      const panel = document.createElement("div");
      button.type = "button";
      button.textContent = NAMES[language]!;
      button.id = `tab-${index}-${language}`;
      button.setAttribute("role", "tab");
      button.setAttribute("aria-controls", `panel-${index}-${language}`);
      button.addEventListener("click", () => this.onChoose(language));
      button.addEventListener("keydown", (event) => this.#move(event, language));
      panel.id = `panel-${index}-${language}`;
      panel.setAttribute("role", "tabpanel");
      panel.setAttribute("aria-labelledby", button.id);
      block.replaceWith(panel);
      panel.append(block);
      list.append(button);
      this.#buttons.set(language, button);
      this.#panels.set(language, panel);
    }
  }

  /** Show a language, or the first one if there is no example in this language. */
  show(language: string): void {
    const shown = this.#panels.has(language) ? language : [...this.#panels.keys()][0]!;
    for (const [name, button] of this.#buttons) {
      button.setAttribute("aria-selected", String(name === shown));
      button.tabIndex = name === shown ? 0 : -1;
      this.#panels.get(name)!.hidden = name !== shown;
    }
  }

  #move(event: KeyboardEvent, language: string): void {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const names = [...this.#buttons.keys()];
    const next = names[(names.indexOf(language) + step + names.length) % names.length]!;
    this.onChoose(next);
    this.#buttons.get(next)!.focus();
  }
}
