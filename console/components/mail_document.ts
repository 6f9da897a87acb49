/**
 * Prepares the HTML of a message for display.
 *
 * The policy and the sandbox of the document (public/_headers) already block scripts and remote
 * content. Removing both here avoids error messages in the browser's console. Link targets and
 * forms are removed too, because they would navigate away from the message.
 */

import { decoded } from "../decode";

const REMOVED =
  "script, base, link, meta, title, iframe, frame, frameset, object, embed, applet, portal, " +
  "audio, video, source, track, template, dialog, " +
  "input[type=image], animate, set, foreignObject, use, feImage";

/** Attributes that load, run scripts, navigate, or take the focus. */
const LOADING = new RegExp(
  "^(on.*|href|xlink:href|src|srcset|imagesrcset|srcdoc|background|poster|data|action|formaction|" +
    "ping|target|manifest|autofocus|accesskey|tabindex|contenteditable|popover|popovertarget|is)$",
  "i",
);

const REMOTE = /^\s*(https?:)?\/\//i;

const SVG = "http://www.w3.org/2000/svg";

/** Style sheets are cut off after this many characters in total. Newsletters have about a tenth. */
const MAX_STYLE = 200_000;

export interface Rendered {
  /** Whether content from other servers was removed. */
  hasBlocked: boolean;
  /** The distinct link targets. Links do not open in the frame. */
  links: string[];
}

/**
 * Show `html` in `frame`, a document of this site.
 *
 * `images` maps content ids (`cid:`) to data URLs. Content from other servers is kept only with
 * `withRemote`.
 */
export function renderInto(
  frame: HTMLIFrameElement,
  html: string,
  images: ReadonlyMap<string, string>,
  withRemote: boolean,
): Rendered {
  const target = frame.contentDocument!;
  // Use the frame's own parser, so that the frame's policy applies to inline styles.
  const { DOMParser: Parser } = frame.contentWindow as Window & typeof globalThis;
  const parsed = new Parser().parseFromString(withoutHandlers(html), "text/html");
  const result: Rendered = { hasBlocked: false, links: [] };
  removeNames(parsed);
  for (const element of parsed.querySelectorAll(REMOVED)) element.remove();
  let left = MAX_STYLE;
  for (const style of parsed.querySelectorAll("style")) {
    const css = style.textContent.slice(0, left);
    left -= css.length;
    style.textContent = withoutResources(css, withRemote, result);
  }
  for (const element of parsed.querySelectorAll("*")) clean(element, images, withRemote, result);
  result.links = [...new Set(result.links)];
  target.head.replaceChildren(baseStyle(target));
  for (const style of parsed.head.querySelectorAll("style")) target.head.append(style);
  // A message with a frameset has no body.
  const body = (parsed.body as HTMLElement | null) ?? parsed.createElement("body");
  target.body.replaceWith(target.adoptNode(body));
  return result;
}

/**
 * Remove names and forms, which could shadow methods of the document (DOM clobbering; HTML, "named
 * properties"). Until they are removed, call methods only through their prototypes.
 */
function removeNames(parsed: Document): void {
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
 * `html` without event handlers and `base` elements. While browsers parse HTML, they log each event
 * handler and each `base` that they block, so most are removed before parsing. `renderInto` removes
 * the rest.
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
  result: Rendered,
): void {
  const isImage = element.localName === "img";
  const source = isImage ? imageSource(element, images, withRemote, result) : undefined;
  const href = element.localName === "a" ? element.getAttribute("href") : null;
  for (const { name, value } of [...element.attributes]) {
    if (name === "background" && REMOTE.test(value)) result.hasBlocked = true;
    if (LOADING.test(name)) element.removeAttribute(name);
    else if (element.namespaceURI === SVG && name !== "style") {
      const local = withoutResources(value, false, { hasBlocked: false, links: [] });
      if (local !== value) element.setAttribute(name, local);
    }
  }
  if (source) element.setAttribute("src", source);
  if (href) {
    element.setAttribute("title", href);
    result.links.push(href);
  }
  const style = element.getAttribute("style");
  if (style) element.setAttribute("style", withoutResources(style, withRemote, result));
}

function imageSource(
  image: Element,
  images: ReadonlyMap<string, string>,
  withRemote: boolean,
  result: Rendered,
): string | undefined {
  const source = (image.getAttribute("src") ?? "").trim();
  if (/^data:image\//i.test(source)) return source;
  if (/^cid:/i.test(source)) return images.get(decoded(source.slice(4)));
  const remote = [source, firstOfSet(image)].find((address) => REMOTE.test(address));
  if (remote === undefined) return undefined;
  if (withRemote) return remote.replace(/^\/\//, "https://");
  result.hasBlocked = true;
  return undefined;
}

/** The first URL in the srcset of `image`, without commas at its end (HTML, "srcset"). */
function firstOfSet(image: Element): string {
  const first = /^[\s,]*(\S*)/.exec(image.getAttribute("srcset") ?? "")![1]!;
  let end = first.length;
  while (first[end - 1] === ",") end -= 1;
  return first.slice(0, end);
}

/**
 * `css` without the resources that it loads. `data:` images stay, remote `url(…)` images
 * only with `withRemote`.
 *
 * Each regular expression takes linear time on any input, because it matches an unclosed construct
 * up to the end of the text.
 */
function withoutResources(css: string, withRemote: boolean, result: Rendered): string {
  // Resolve escapes first: the browser does, and they could hide a keyword.
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
      if (REMOTE.test(address)) result.hasBlocked = true;
      return "none";
    });
}

/**
 * Default styles for a message. The rules have no specificity, and inherited properties are set at
 * the root, so every style and attribute of the message takes precedence.
 */
function baseStyle(target: Document): HTMLStyleElement {
  const style = target.createElement("style");
  style.textContent =
    ":where(:root){color-scheme:light;color:#1d1d1b;font:15px/1.55 system-ui,sans-serif;" +
    "overflow-wrap:break-word}" +
    ":where(a[title]){color:#3b5bdb;text-decoration:underline}" +
    ":where(img){max-width:100%;height:auto}" +
    ":where(img:not([src])){padding:2px 6px;border:1px dashed #b5b5b0;color:#5f5f59;font-size:12px}";
  return style;
}
