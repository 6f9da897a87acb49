/** The search of the guides. It loads its index when it is first used. */

/** Title of the page, address, heading, text. */
type Section = [string, string, string, string];

const MOST_RESULTS = 12;
const EXCERPT = 110;

/** A section contains each word; those with the words in the heading come first. */
export function find(sections: Section[], query: string): Section[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return [];
  return sections
    .map((section) => [points(section, words), section] as const)
    .filter(([score]) => score > 0)
    .sort(([left], [right]) => right - left)
    .slice(0, MOST_RESULTS)
    .map(([, section]) => section);
}

function points([page, , heading, text]: Section, words: string[]): number {
  const title = heading.toLowerCase();
  const all = `${page} ${heading} ${text}`.toLowerCase();
  let score = 0;
  for (const word of words) {
    if (!all.includes(word)) return 0;
    score += title.includes(word) ? 10 : 1;
  }
  return score;
}

function excerpt(text: string, query: string): string {
  const word = query.toLowerCase().split(/\s+/)[0] ?? "";
  const at = Math.max(0, text.toLowerCase().indexOf(word) - EXCERPT / 3);
  return (at ? "… " : "") + text.slice(at, at + EXCERPT) + (text.length > at + EXCERPT ? " …" : "");
}

export function startSearch(form: HTMLFormElement): void {
  const input = form.querySelector("input")!;
  const list = form.querySelector("ol")!;
  const status = form.querySelector("p")!;
  let index: Promise<Section[]> | null = null;
  const load = () =>
    (index ??= fetch("search.json").then((response) => response.json() as Promise<Section[]>));
  const show = async () => {
    const query = input.value.trim();
    const found = query ? find(await load(), query) : [];
    if (query !== input.value.trim()) return;
    list.replaceChildren(...found.map((section) => item(section, query)));
    status.textContent = query ? `${found.length} results` : "";
  };
  form.hidden = false;
  input.addEventListener("focus", () => void load(), { once: true });
  input.addEventListener("input", () => void show());
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    list.querySelector("a")?.click();
  });
}

function item([page, address, heading, text]: Section, query: string): HTMLLIElement {
  const entry = document.createElement("li");
  const link = document.createElement("a");
  const about = document.createElement("span");
  link.href = address;
  link.append(heading === page ? page : `${page}: ${heading}`, about);
  about.textContent = excerpt(text, query);
  entry.append(link);
  return entry;
}
