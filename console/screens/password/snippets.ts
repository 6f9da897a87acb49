/** Programs that send one mail, ready to be run, for the address that is signed in. */

import type { Session } from "../../state/session";

/** What stands in a snippet in the place of the credential while that is hidden. */
export const HIDDEN = "••••••••••••";

export interface Smtp {
  host: string;
  port: number;
  starttls?: boolean;
}

/** What stands for a server that the deployment does not name. */
export const UNKNOWN_SMTP: Smtp = { host: "smtp.example.com", port: 587, starttls: true };

export interface Given {
  origin: string;
  jwt: string;
  sitePassword: string | undefined;
  /** Whether the site password goes as bytes: a header holds Latin-1 alone, the API reads UTF-8. */
  asBytes: boolean;
  address: string;
}

/** What the snippets are filled in with; secrets only `withSecrets`. */
export function given(session: Session, withSecrets: boolean): Given {
  const { address = "", jwt = "", sitePassword } = session;
  return {
    origin: location.origin,
    jwt: withSecrets ? jwt : HIDDEN,
    sitePassword: sitePassword && (withSecrets ? sitePassword : HIDDEN),
    asBytes: /[^\x20-\x7e]/.test(sitePassword ?? ""),
    address,
  };
}

export function curl({ origin, jwt, sitePassword }: Given): string {
  const site = sitePassword ? `\n  -H ${shell(`x-custom-auth: ${sitePassword}`)} \\` : "";
  return `curl ${shell(`${origin}/api/send_mail`)} \\
  -H ${shell(`Authorization: Bearer ${jwt}`)} \\${site}
  -H 'Content-Type: application/json' \\
  -d '{"to_mail": "bob@example.com", "subject": "Hello", "content": "Hello, Bob"}'
`;
}

export function requests({ origin, jwt, sitePassword, asBytes }: Given): string {
  const value = json(sitePassword ?? "") + (asBytes ? ".encode()" : "");
  const site = sitePassword ? `\n        "x-custom-auth": ${value},` : "";
  return `import requests

answer = requests.post(
    ${json(`${origin}/api/send_mail`)},
    headers={
        "Authorization": ${json(`Bearer ${jwt}`)},${site}
    },
    json={
        "from_name": "",
        "to_mail": "bob@example.com",
        "to_name": "Bob",
        "subject": "Hello",
        "is_html": False,
        "content": "Hello, Bob",
    },
)
print(answer.json())
`;
}

export function javascript({ origin, jwt, sitePassword, asBytes }: Given): string {
  const text = json(sitePassword ?? "");
  const value = asBytes ? `String.fromCharCode(...new TextEncoder().encode(${text}))` : text;
  const site = sitePassword ? `\n    "x-custom-auth": ${value},` : "";
  return `const answer = await fetch(${json(`${origin}/api/send_mail`)}, {
  method: "POST",
  headers: {
    Authorization: ${json(`Bearer ${jwt}`)},${site}
    "Content-Type": "application/json",
  },
  body: JSON.stringify({
    to_mail: "bob@example.com",
    subject: "Hello",
    content: "Hello, Bob",
  }),
});
console.log(await answer.json());
`;
}

export function smtplib({ jwt, address }: Given, { host, port, starttls }: Smtp): string {
  const secure = starttls ? "\n    server.starttls()" : "";
  return `import smtplib
from email.message import EmailMessage

mail = EmailMessage()
mail["From"] = ${json(address)}
mail["To"] = "bob@example.com"
mail["Subject"] = "Hello"
mail.set_content("Hello, Bob")

with smtplib.SMTP(${json(host)}, ${port}) as server:${secure}
    server.login(${json(address)}, ${json(jwt)})
    server.send_message(mail)
`;
}

/** A text as JavaScript and Python both take it. */
function json(text: string): string {
  return JSON.stringify(text);
}

function shell(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
