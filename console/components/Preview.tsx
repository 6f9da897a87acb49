/**
 * The HTML of a message, in a separate document.
 *
 * The document is a static page of this site with a strict policy, in a frame that runs no scripts.
 * The document has the console's origin, so that the console can write the HTML into it. Without
 * scripts, the document could not receive the HTML by postMessage.
 */

import { useEffect, useRef, useState } from "preact/hooks";
import { useTexts } from "../texts";
import { Button } from "./Button";
import { renderInto, type Rendered } from "./mail_document";

const NO_IMAGES: ReadonlyMap<string, string> = new Map();
const HIGHEST = 1200;

export function Preview({
  html,
  images = NO_IMAGES,
}: {
  html: string;
  images?: ReadonlyMap<string, string>;
}) {
  const t = useTexts();
  const frame = useRef<HTMLIFrameElement>(null);
  const [isLoaded, setIsLoaded] = useState(false);
  const [withRemote, setWithRemote] = useState(false);
  const [{ hasBlocked, links }, setRendered] = useState<Rendered>({ hasBlocked: false, links: [] });
  useEffect(() => {
    const element = frame.current;
    if (!isLoaded || !element) return undefined;
    setRendered(renderInto(element, html, images, withRemote));
    const root = element.contentDocument!.documentElement;
    const fit = () => {
      element.height = String(Math.min(Math.max(root.offsetHeight, 120) + 2, HIGHEST));
    };
    fit();
    const observer = new ResizeObserver(fit);
    observer.observe(root);
    return () => observer.disconnect();
  }, [isLoaded, html, images, withRemote]);
  return (
    <div class="preview">
      {hasBlocked && (
        <div class="notice">
          <p>{t.preview.blocked}</p>
          <Button
            small
            icon="image"
            onClick={() => {
              setIsLoaded(false);
              setWithRemote(true);
            }}
          >
            {t.preview.showThem}
          </Button>
        </div>
      )}
      <iframe
        key={String(withRemote)}
        ref={frame}
        sandbox="allow-same-origin"
        title={t.preview.frame}
        src={withRemote ? "preview_with_images" : "preview"}
        onLoad={() => setIsLoaded(true)}
      />
      {links.length > 0 && (
        <details class="hint">
          <summary>{t.preview.links(links.length)}</summary>
          <ul>
            {links.map((link) => (
              <li key={link}>
                <bdi>{link}</bdi>
              </li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}
