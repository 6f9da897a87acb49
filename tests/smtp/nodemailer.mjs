// Sends one mail as the options on standard input say.

import { readFileSync } from "node:fs";
import nodemailer from "nodemailer";

const options = JSON.parse(readFileSync(0, "utf8"));

const transport = nodemailer.createTransport({
  host: options.host,
  port: options.port,
  secure: options.way === "tls",
  requireTLS: options.way === "starttls",
  ignoreTLS: options.way === "plain",
  tls: { ca: options.ca },
  auth: { user: options.user, pass: options.password },
});

const sent = await transport.sendMail({
  envelope: { from: options.user, to: options.recipients },
  from: { name: "Zoë Sender", address: "someone@else.example" },
  to: [{ name: "Bób", address: "to1@example.net" }, "to2@example.net"],
  cc: { name: "Carol, Esq.", address: "cc@example.net" },
  subject: options.subject,
  text: options.text,
  html: options.html,
  headers: { "X-Campaign": "spring" },
  attachments: [
    { cid: "logo@test", filename: "logo.png", content: Buffer.from(options.logo, "hex") },
    { filename: "Grüße, 😀.bin", content: Buffer.from(options.file, "hex") },
  ],
});

if (sent.rejected.length) throw new Error(`rejected: ${sent.rejected}`);
