/** The administrators' overview in English. `overview.zh.ts` has the same keys in the same order. */

export const overviewEn = {
  today: "Today (UTC)",
  todayOf: {
    sent: "Sent today",
    delivered: "Delivered today",
    bounced: "Bounced today",
    failed: "Failed today",
  },
  inMonth: (count: string) => `${count} in 30 days`,

  setUp: "Set-up",
  progress: (done: string, all: string) => `${done} of ${all} done`,
  allDone: "Everything is set up.",
  intro: "What this service needs until its first mail is delivered.",
  show: "Show what is done",
  states: {
    ok: "Done",
    waiting: "Not yet",
    warning: "Check it",
    missing: "Missing",
    unknown: "Unknown",
  },
  command: (command: string) => `the command ${command}`,

  titles: {
    bindings: "Bindings of the Worker",
    secrets: "Secrets",
    migrations: "Tables of the database",
    cron: "Cron",
    queue: "Queue",
    domains: "Sending domains",
    dns: "DNS records",
    address: "First address",
    balance: "Send balance",
    mail: "First mail",
    events: "Delivery events",
  },
  /** What a check has found. */
  found: {
    bindings: "The Worker has all bindings.",
    bindingsMissing: (names: string) =>
      `The Worker has no binding ${names}. Deploy it with the bindings of wrangler.toml.`,
    secrets: "The secrets are set.",
    JWT_SECRET:
      "JWT_SECRET is shorter than 32 bytes, so it may be guessed. `make secret` prints a good one. Keep the old one in JWT_SECRET_PREVIOUS, so that credentials stay valid.",
    ADMIN_PASSWORDS: "No admin password is set.",
    DISABLE_ADMIN_PASSWORD_CHECK:
      "Anyone can use the administration. Remove DISABLE_ADMIN_PASSWORD_CHECK from the variables, and deploy.",
    migrations: "The database has the tables of this version.",
    migrationsMissing: (name: string) =>
      `The migration ${name} is not applied. Deploying applies it.`,
    migrationsUnknown:
      "The database has the tables that this screen needs, but no list of applied migrations.",
    cron: (at: string) => `Last seen: ${at}.`,
    cronMissing:
      "It has not run yet. It should run every minute: retries, scheduled mail and cleaning up depend on it. After the first deployment it can take some minutes.",
    cronLate: (at: string) =>
      `Last seen: ${at}. It should run every minute: retries, scheduled mail and cleaning up depend on it. Check the cron trigger of the Worker.`,
    queue: "Messages are sent when they are due.",
    OUTBOX:
      "The Worker has no queue (OUTBOX). So retries and scheduled mail wait for the cron, up to a minute.",
    SENDING_PAUSED:
      "All sending is paused. Set SENDING_PAUSED to false in wrangler.toml, and deploy.",
    overdue: (count: string) =>
      `Messages that are more than five minutes late: ${count}. The log shows why.`,
    domains: "The provider accepts mail from every sending domain.",
    domainsMissing: "No sending domain is set. Add it to DOMAINS in wrangler.toml, and deploy.",
    domainsWaiting: (names: string) =>
      `No mail from ${names} in the last 90 days. Email Sending must be enabled for each new domain.`,
    dnsOk: (domain: string) => `${domain}: SPF, DKIM, DMARC and MX are set.`,
    dnsWrong: (domain: string, records: string) => `${domain}: missing or wrong: ${records}.`,
    dnsWeak: (domain: string) =>
      `${domain}: all records are set. The DMARC policy lets forged mail through.`,
    dnsUnknown: (domain: string) => `${domain}: the DNS resolver did not respond.`,
    dnsNone: "Nothing to check without a sending domain.",
    dnsBefore: "Mail from domains without these records ends as spam, or is rejected.",
    address: "There is an address.",
    addressWaiting: "Create the first address.",
    balance: "An address can send.",
    balanceWaiting:
      "No address has a send balance. Grant one, or set DEFAULT_SEND_BALANCE for all new addresses.",
    mail: (day: string) => `First mail in the last 90 days: ${day}.`,
    mailWaiting:
      "Sign in with an address and write a mail to yourself. Mail to test recipients does not count, because it never leaves the service.",
    events: (day: string) => `They arrive. The latest ones are about mail of ${day}.`,
    eventsWaiting:
      "They say whether mail was delivered or bounced. The first ones arrive at most a day after the first mail.",
    eventsWarning:
      "Mail has been sent for more than a day, but no event has arrived. `make deploy` creates the subscription, or says why it can't. Workers Free has no delivery events.",
  },
  actions: {
    domains: "Open domains",
    addresses: "Create an address",
    balances: "Grant a balance",
    compose: "Write a mail",
    checkDns: "Check DNS records",
    checkAgain: "Check again",
  },

  deployment: "This deployment",
  version: "Version",
  database: "Database",
  size: (used: string, limit: string, part: string) => `${used} of ${limit} (${part})`,
  sizeUnknown: "D1 did not report its size.",
  nearlyFull:
    "The database is nearly full. Keep messages for a shorter time (RETENTION_METADATA_DAYS), or use a larger plan.",
  lastCron: "Last cron run seen",
};
