/** The API responses that the console reads; docs/api.md describes them. */

export interface SiteSettings {
  title: string;
  prefix: string;
  defaultDomains: string[];
  domains: string[];
  needAuth: boolean;
  enableUserCreateEmail: boolean;
  disableAnonymousUserCreateEmail: boolean;
  disableCustomAddressName: boolean;
  enableUserDeleteEmail: boolean;
  enableAddressPassword: boolean;
  enableSendMail: boolean;
  cfTurnstileSiteKey: string;
  disableAdminPasswordCheck: boolean;
  smtpImapProxyConfig: { smtp?: { host: string; port: number; starttls?: boolean } };
}

export interface CreatedAddress {
  jwt: string;
  address: string;
  password: string | null;
}

export type Status =
  "scheduled" | "queued" | "sending" | "sent" | "failed" | "unknown" | "cancelled";

/** The statuses that can still change. */
export const WAITING: readonly Status[] = ["scheduled", "queued", "sending", "unknown"];

/** What a delivery event says about one recipient of a sent message. */
export type DeliveryKind =
  "delayed" | "delivered" | "rejected" | "failed" | "bounced" | "complained";

/** What became of a sent message. `sent`: no event has arrived. */
export type DeliveryStatus = "sent" | DeliveryKind;

/** Why a message failed. */
export type Reason =
  | "recipient_suppressed"
  | "recipient_rejected"
  | "sender_not_allowed"
  | "content_rejected"
  | "throttled"
  | "quota_reached"
  | "credentials_rejected"
  | "unreachable"
  | "provider_error";

export interface SendboxEntry {
  id: string;
  address: string;
  /** `SentMail` as a JSON string. */
  raw: string;
  created_at: string;
  status: Status;
  /** The highest status among the recipients; null if the message was not sent. */
  delivery_status: DeliveryStatus | null;
  /** The number of recipients that have `delivery_status`. */
  delivery_count: number | null;
  recipient_count: number;
  /** The requested time of a scheduled message; null if it was to be sent at once. */
  scheduled_at: string | null;
  content_truncated?: boolean;
}

export interface SentMail {
  from_name: string;
  to_name: string;
  to_mail: string;
  subject: string;
  is_html: boolean;
  content: string;
}

export interface SendboxPage {
  results: SendboxEntry[];
  next_cursor?: string | null;
}

/** What the receiving server and the provider said about a delivery. */
export interface DeliveryDetails {
  smtp_code?: string | null;
  enhanced_code?: string | null;
  smtp_response?: string | null;
  /** The provider's word for the cause. */
  reason?: string | null;
}

export interface Recipient extends DeliveryDetails {
  kind: "to" | "cc" | "bcc";
  address: string;
  name: string | null;
  status: Status | DeliveryKind;
  code: string | null;
  explanation: string | null;
  delivery_status: DeliveryStatus | null;
  /** The time of the event that led to `delivery_status`; null without an event. */
  delivery_status_at: string | null;
  /** Whether a bounce is permanent; null if it is not known. */
  permanent: boolean | null;
}

export interface MessageEvent extends DeliveryDetails {
  event: string;
  at: string;
  attempt: number;
  code: string | null;
  explanation?: string;
  /** The transport of the attempt, and the one that was tried next, if it is another one. */
  transport?: string;
  next_transport?: string;
  /** The recipient of a delivery event. */
  recipient?: string;
  /** The id of the delivery event that told whether an unknown attempt had succeeded. */
  settled_by?: string;
  /** What the SMTP relay has changed in the mail, a sentence for each change. */
  adaptations?: string[];
}

export interface SendboxMessage extends SendboxEntry {
  message_id: string | null;
  request_id: string | null;
  attempts: number;
  /** The transport of the last attempt; null for sandbox recipients. */
  transport: string | null;
  retry_of: string | null;
  retried_as: string | null;
  code: string | null;
  reason: Reason | null;
  /** A sentence that explains `code`; null without a code. */
  explanation: string | null;
  next_attempt_at: string | null;
  finished_at: string | null;
  reply_to: { address: string; name: string | null } | null;
  headers: Record<string, string>;
  tags: { name: string; value: string }[];
  attachments: { filename: string; size: number }[];
  text: string | null;
  html: string | null;
  recipients: Recipient[];
  history: MessageEvent[];
}

export interface SendResponse {
  status: "ok" | Status;
  id: string;
}

export interface UsageDay {
  day: string;
  accepted: number;
  sent: number;
  failed: number;
  /** Numbers of recipients, as far as delivery events have arrived. */
  delivered: number;
  bounced: number;
  complained: number;
}

export interface Usage {
  days: UsageDay[];
  daily_left: number | null;
  monthly_left: number | null;
}

export interface AddressUsage extends Usage {
  send_balance: number;
  /** Whether an administrator has switched off sending for the address. */
  sending_disabled?: boolean;
}

/** The balance that means "unlimited". */
export const UNLIMITED = 99_999;
