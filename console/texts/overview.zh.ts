/** 中文管理概览。键与 `overview.en.ts` 相同，顺序也相同。 */

import type { OverviewTexts } from "./overview";

export const overviewZh: OverviewTexts = {
  today: "今天（UTC）",
  todayOf: {
    sent: "今日已发送",
    delivered: "今日已送达",
    bounced: "今日被退回",
    failed: "今日失败",
  },
  inMonth: (count) => `30 天内 ${count}`,

  setUp: "部署检查",
  progress: (done, all) => `已完成 ${done} / ${all}`,
  allDone: "一切就绪。",
  intro: "从新部署到第一封邮件送达所需的步骤。",
  show: "显示已完成的步骤",
  states: {
    ok: "完成",
    waiting: "尚未",
    warning: "请检查",
    missing: "缺少",
    unknown: "未知",
  },
  command: (command) => `命令 ${command}`,

  titles: {
    bindings: "Worker 绑定",
    secrets: "密钥",
    migrations: "数据库表",
    cron: "定时任务",
    queue: "队列",
    domains: "发件域名",
    dns: "DNS 记录",
    address: "第一个地址",
    balance: "发送余额",
    mail: "第一封邮件",
    events: "投递事件",
  },
  found: {
    bindings: "Worker 拥有全部绑定。",
    bindingsMissing: (names) => `Worker 缺少绑定 ${names}。请用 wrangler.toml 中的绑定重新部署。`,
    secrets: "密钥均已设置。",
    JWT_SECRET:
      "JWT_SECRET 不足 32 字节，可能被猜出。`make secret` 会输出一个合适的密钥。请把旧密钥放入 JWT_SECRET_PREVIOUS，使现有凭证继续有效。",
    ADMIN_PASSWORDS: "尚未设置管理密码。",
    DISABLE_ADMIN_PASSWORD_CHECK:
      "任何人都可以进入管理界面。请从变量中删除 DISABLE_ADMIN_PASSWORD_CHECK，然后重新部署。",
    migrations: "数据库已有此版本所需的表。",
    migrationsMissing: (name) => `迁移 ${name} 尚未执行。部署时会自动执行。`,
    migrationsUnknown: "数据库已有此页面所需的表，但没有已执行迁移的记录。",
    cron: (at) => `最近一次运行：${at}。`,
    cronMissing:
      "尚未运行。定时任务应每分钟运行一次，重试、定时邮件和清理都依赖它。首次部署后可能需要几分钟。",
    cronLate: (at) =>
      `最近一次运行：${at}。定时任务应每分钟运行一次，重试、定时邮件和清理都依赖它。请检查 Worker 的 Cron 触发器。`,
    queue: "邮件会按时发送。",
    OUTBOX: "Worker 没有队列（OUTBOX），因此重试和定时邮件要等定时任务，最多一分钟。",
    SENDING_PAUSED: "所有发送均已暂停。请在 wrangler.toml 中把 SENDING_PAUSED 设为 false，然后部署。",
    overdue: (count) => `有 ${count} 封邮件延误超过五分钟。日志中有原因。`,
    domains: "服务商接受每个发件域名的邮件。",
    domainsMissing: "尚未设置发件域名。请在 wrangler.toml 的 DOMAINS 中添加，然后部署。",
    domainsWaiting: (names) =>
      `最近 90 天没有来自 ${names} 的邮件。每个新域名都必须启用 Email Sending。`,
    dnsOk: (domain) => `${domain}：SPF、DKIM、DMARC 和 MX 均已设置。`,
    dnsWrong: (domain, records) => `${domain}：缺少或有误：${records}。`,
    dnsWeak: (domain) => `${domain}：记录均已设置，但 DMARC 策略会放过伪造邮件。`,
    dnsUnknown: (domain) => `${domain}：DNS 解析器没有回应。`,
    dnsNone: "没有发件域名，无需检查。",
    dnsBefore: "缺少这些记录的域名，其邮件会被当作垃圾邮件或被拒收。",
    address: "已有地址。",
    addressWaiting: "请创建第一个地址。",
    balance: "有地址可以发送。",
    balanceWaiting: "没有地址拥有发送余额。请授予余额，或为所有新地址设置 DEFAULT_SEND_BALANCE。",
    mail: (day) => `最近 90 天的第一封邮件：${day}。`,
    mailWaiting:
      "请用一个地址登录，给自己写一封邮件。发给测试收件人的邮件不计入，因为它们不会离开本服务。",
    events: (day) => `正常接收。最新的事件属于 ${day} 的邮件。`,
    eventsWaiting: "事件会说明邮件是已送达还是被退回。首批事件最迟在第一封邮件后一天内到达。",
    eventsWarning:
      "发送邮件已超过一天，但没有收到任何事件。`make deploy` 会创建订阅，或说明不能创建的原因。Workers Free 没有投递事件。",
  },
  actions: {
    domains: "打开域名",
    addresses: "创建地址",
    balances: "授予余额",
    compose: "写邮件",
    checkDns: "检查 DNS 记录",
    checkAgain: "再次检查",
  },

  deployment: "当前部署",
  version: "版本",
  database: "数据库",
  size: (used, limit, part) => `${used} / ${limit}（${part}）`,
  sizeUnknown: "D1 没有报告大小。",
  nearlyFull: "数据库快满了。请缩短邮件的保留时间（RETENTION_METADATA_DAYS），或使用更大的套餐。",
  lastCron: "最近一次定时任务",
};
