/**
 * A message's HTML, made ready for a document that shows it.
 *
 * That document's policy and sandbox already keep scripts from running and everything remote from
 * being loaded (public/_headers). What is removed here would be stopped there, with a line in the
 * browser's console; links and forms would lead away from the message.
 */

const REMOVED =
  "script, base, link, meta, title, iframe, frame, frameset, object, embed, applet, portal, " +
  "audio, video, source, track, template, dialog, " +
  "input[type=image], animate, set, foreignObject, use, feImage";

/** Attributes that load, run, lead away, or take the focus. */
const LOADING = new RegExp(
  "^(on.*|href|xlink:href|src|srcset|imagesrcset|srcdoc|background|poster|data|action|formaction|" +
    "ping|target|manifest|autofocus|accesskey|tabindex|contenteditable|popover|popovertarget|is)$",
  "i",
);

const REMOTE = /^\s*(https?:)?\/\//i;

const SVG = "http://www.w3.org/2000/svg";

/** The most characters of style sheets that are applied: newsletters have a tenth of it. */
const MOST_STYLE = 200_000;

export interface Shown {
  /** Whether something of it lies on another server, and is not shown. */
  hasBlocked: boolean;
  /** Where its links lead, each once: they do not open in the frame. */
  links: string[];
}

/**
 * Show `html` in `frame`, whose document is ours.
 *
 * `images` has the pictures that it names as `cid:`, as data URLs; what lies on other servers is
 * left in it only with `withRemote`.
 */
export function showIn(
  frame: HTMLIFrameElement,
  html: string,
  images: ReadonlyMap<string, string>,
  withRemote: boolean,
): Shown {
  const target = frame.contentDocument!;
  // Made by the frame's own parser, so that inline styles are judged by the frame's policy.
  const { DOMParser: Parser } = frame.contentWindow as Window & typeof globalThis;
  const parsed = new Parser().parseFromString(withoutHandlers(html), "text/html");
  const shown: Shown = { hasBlocked: false, links: [] };
  unname(parsed);
  for (const element of parsed.querySelectorAll(REMOVED)) element.remove();
  let left = MOST_STYLE;
  for (const style of parsed.querySelectorAll("style")) {
    const css = style.textContent.slice(0, left);
    left -= css.length;
    style.textContent = withoutLoads(css, withRemote, shown);
  }
  for (const element of parsed.querySelectorAll("*")) clean(element, images, withRemote, shown);
  shown.links = [...new Set(shown.links)];
  target.head.replaceChildren(baseStyle(target));
  for (const style of parsed.head.querySelectorAll("style")) target.head.append(style);
  // A message of frames has no body.
  const body = (parsed.body as HTMLElement | null) ?? parsed.createElement("body");
  target.body.replaceWith(target.adoptNode(body));
  return shown;
}

/**
 * Remove what stands in front of the methods of documents and forms: what has a name is found in
 * them by it (HTML, "named properties"). Until then nothing is called by way of the object itself.
 */
function unname(parsed: Document): void {
  const all = (selector: string) =>
    Document.prototype.querySelectorAll.call(parsed, selector) as NodeListOf<Element>;
  for (const element of all("[name]")) Element.prototype.removeAttribute.call(element, "name");
  for (const form of all("form")) {
    const inside = new Range();
    inside.selectNodeContents(form);
    Element.prototype.replaceWith.call(form, inside.extractContents());
  }
}

/**
 * HTML without event handlers and without a base. Browsers name each one that they stop, already
 * while they parse, so most are taken out before; `clean` finds those that are written in ways
 * not foreseen here.
 */
function withoutHandlers(html: string): string {
  const withoutBase = html.replace(/<base\b[^>]*>?/gi, "");
  return withoutBase.replace(/<[a-z](?:[^>"']|"[^"]*"|'[^']*')*/gi, (tag) =>
    tag.replace(/([\s"'/])on[a-z]+\s*=\s*("[^"]*"|'[^']*'|[^\s>"']*)/gi, "$1"),
  );
}

function clean(
  element: Element,
  images: ReadonlyMap<string, string>,
  withRemote: boolean,
  shown: Shown,
): void {
  const isImage = element.localName === "img";
  const source = isImage ? imageSource(element, images, withRemote, shown) : undefined;
  const href = element.localName === "a" ? element.getAttribute("href") : null;
  for (const { name, value } of [...element.attributes]) {
    if (name === "background" && REMOTE.test(value)) shown.hasBlocked = true;
    if (LOADING.test(name)) element.removeAttribute(name);
    else if (element.namespaceURI === SVG && name !== "style") {
      const local = withoutLoads(value, false, { hasBlocked: false, links: [] });
      if (local !== value) element.setAttribute(name, local);
    }
  }
  if (source) element.setAttribute("src", source);
  if (href) {
    element.setAttribute("title", href);
    shown.links.push(href);
  }
  const style = element.getAttribute("style");
  if (style) element.setAttribute("style", withoutLoads(style, withRemote, shown));
}

function imageSource(
  image: Element,
  images: ReadonlyMap<string, string>,
  withRemote: boolean,
  shown: Shown,
): string | undefined {
  const source = (image.getAttribute("src") ?? "").trim();
  if (/^data:image\//i.test(source)) return source;
  if (/^cid:/i.test(source)) return images.get(decoded(source.slice(4)));
  const remote = [source, firstOfSet(image)].find((address) => REMOTE.test(address));
  if (remote === undefined) return undefined;
  if (withRemote) return remote.replace(/^\/\//, "https://");
  shown.hasBlocked = true;
  return undefined;
}

/** The first address of a srcset: commas end an address only at its end (HTML, "srcset"). */
function firstOfSet(image: Element): string {
  const first = /^[\s,]*(\S*)/.exec(image.getAttribute("srcset") ?? "")![1]!;
  let end = first.length;
  while (first[end - 1] === ",") end -= 1;
  return first.slice(0, end);
}

/**
 * Style sheets without what they would load; pictures stay with `withRemote`.
 *
 * Each expression reads a text once, however it is made: what is never closed ends with the text.
 */
function withoutLoads(css: string, withRemote: boolean, shown: Shown): string {
  // An escape hides a word from this, but not from the browser.
  const plain = css.replace(/\\([0-9a-f]{1,6})\s?|\\([^\n])/gi, (_, code: string, other: string) =>
    code ? String.fromCodePoint(Math.min(parseInt(code, 16), 0x10ffff)) : other,
  );
  const text = /url|image-set|src|@import|@font-face/i.test(plain) ? plain : css;
  return text
    .replace(/@import[^;]*;?/gi, "")
    .replace(/@font-face\s*\{[^}]*\}?/gi, "")
    .replace(/(-webkit-)?image-set\s*\(/gi, "none(")
    .replace(/\b(?:url|src)\s*\(\s*("[^"]*"|'[^']*'|[^)]*)\s*\)?/gi, (whole, quoted: string) => {
      const address = quoted.replace(/^["']|["']$/g, "");
      if (/^(data:image\/|#)/i.test(address)) return whole;
      if (withRemote && REMOTE.test(address)) return whole;
      if (REMOTE.test(address)) shown.hasBlocked = true;
      return "none";
    });
}

function baseStyle(target: Document): HTMLStyleElement {
  const style = target.createElement("style");
  style.textContent =
    ":root{color-scheme:light;background:#fff}" +
    "body{margin:16px;color:#1d1d1b;font:15px/1.55 system-ui,sans-serif;overflow-wrap:anywhere}" +
    "a[title]{color:#3b5bdb;text-decoration:underline}" +
    "img{max-width:100%;height:auto}" +
    "img:not([src]){padding:2px 6px;border:1px dashed #b5b5b0;color:#5f5f59;font-size:12px}";
  return style;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
