/** Ready-to-run programs that send one message as the signed-in address. */

import { HIDDEN } from "../../components/HiddenSecret";
import type { Session } from "../../state/session";

export interface Smtp {
  host: string;
  port: number;
  starttls?: boolean;
}

/** The example for a deployment that names no SMTP server. */
export const UNKNOWN_SMTP: Smtp = { host: "smtp.example.com", port: 587, starttls: true };

export interface Values {
  origin: string;
  jwt: string;
  sitePassword: string | undefined;
  /** Whether snippets must encode the site password: headers are Latin-1, the API reads UTF-8. */
  asBytes: boolean;
  address: string;
}

/** The values for the snippets. Without `withSecrets`, `HIDDEN` replaces the secrets. */
export function valuesFor(session: Session, withSecrets: boolean): Values {
  const { address = "", jwt = "", sitePassword } = session;
  return {
    origin: location.origin,
    jwt: withSecrets ? jwt : HIDDEN,
    sitePassword: sitePassword && (withSecrets ? sitePassword : HIDDEN),
    asBytes: /[^\x20-\x7e]/.test(sitePassword ?? ""),
    address,
  };
}

export function curl({ origin, jwt, sitePassword }: Values): string {
  const site = sitePassword ? `\n  -H ${shell(`x-custom-auth: ${sitePassword}`)} \\` : "";
  return `curl ${shell(`${origin}/api/send_mail`)} \\
  -H ${shell(`Authorization: Bearer ${jwt}`)} \\${site}
  -H 'Content-Type: application/json' \\
  -d '{"to_mail": "bob@example.com", "subject": "Hello", "content": "Hello, Bob"}'
`;
}

export function requests({ origin, jwt, sitePassword, asBytes }: Values): string {
  const value = json(sitePassword ?? "") + (asBytes ? ".encode()" : "");
  const site = sitePassword ? `\n        "x-custom-auth": ${value},` : "";
  return `import requests

response = requests.post(
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
print(response.json())
`;
}

export function javascript({ origin, jwt, sitePassword, asBytes }: Values): string {
  const text = json(sitePassword ?? "");
  const value = asBytes ? `String.fromCharCode(...new TextEncoder().encode(${text}))` : text;
  const site = sitePassword ? `\n    "x-custom-auth": ${value},` : "";
  return `const response = await fetch(${json(`${origin}/api/send_mail`)}, {
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
console.log(await response.json());
`;
}

/** The Resend SDK for Node.js, with this service as its server. */
export function resend({ origin, jwt, address }: Values): string {
  return `import { Resend } from "resend";

const resend = new Resend(${json(jwt)}, { baseUrl: ${json(origin)} });
const { data, error } = await resend.emails.send({
  from: ${json(address)},
  to: "bob@example.com",
  subject: "Hello",
  text: "Hello, Bob",
});
console.log(error ?? data);
`;
}

export function nodemailer(
  { jwt, address }: Values,
  { host, port, starttls }: Smtp,
): string {
  return `import nodemailer from "nodemailer";

const transport = nodemailer.createTransport({
  host: ${json(host)},
  port: ${port},
  requireTLS: ${Boolean(starttls)},
  auth: { user: ${json(address)}, pass: ${json(jwt)} },
});
await transport.sendMail({
  from: ${json(address)},
  to: "bob@example.com",
  subject: "Hello",
  text: "Hello, Bob",
});
`;
}

export function smtplib({ jwt, address }: Values, { host, port, starttls }: Smtp): string {
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

/** A string literal that is valid in JavaScript and Python. */
function json(text: string): string {
  return JSON.stringify(text);
}

function shell(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
