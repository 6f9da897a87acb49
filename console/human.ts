/**
 * The page /human: shows Turnstile and posts its token to the console, the parent frame.
 *
 * It posts an empty token when the token expires, and null when verification fails: the script
 * did not load or could not reach Cloudflare.
 */

interface Turnstile {
  render(place: string, options: Record<string, unknown>): void;
}

const key = new URLSearchParams(location.search).get("key");
const script = document.createElement("script");
script.src = "https://challenges.cloudflare.com/turnstile/v0/api.js?render=explicit";
script.onload = () => {
  const { turnstile } = window as unknown as { turnstile: Turnstile };
  turnstile.render("#challenge", {
    sitekey: key,
    callback: tell,
    "expired-callback": () => tell(""),
    "error-callback": fail,
  });
};
script.onerror = fail;
document.head.append(script);

function tell(token: string | null): void {
  parent.postMessage(token, location.origin);
}

function fail(): void {
  tell(null);
}
