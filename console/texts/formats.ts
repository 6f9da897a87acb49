/** Numbers, times and sizes in the format of the current language. */

import { lang } from ".";

/** The current language with the region that the browser prefers. */
function locale(): string {
  return navigator.languages.find((tag) => tag.startsWith(lang.get())) ?? lang.get();
}

export function number(value: number): string {
  return new Intl.NumberFormat(locale()).format(value);
}

/** A part of 1, as a percentage with up to two decimals. */
export function percent(part: number): string {
  const form = { style: "percent", maximumFractionDigits: 2 } as const;
  return new Intl.NumberFormat(locale(), form).format(part);
}

/** Date and time; the current year is left out. */
export function time(text: string): string {
  const date = serverTime(text);
  return new Intl.DateTimeFormat(locale(), {
    ...dayForm(date),
    hour: "2-digit",
    minute: "2-digit",
  }).format(date);
}

/** Date and time with seconds and the time zone, to compare them with other records. */
export function exactTime(text: string): string {
  const date = serverTime(text);
  return new Intl.DateTimeFormat(locale(), {
    ...dayForm(date),
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    timeZoneName: "short",
  }).format(date);
}

/** The time if it is today, otherwise the date. */
export function shortTime(text: string): string {
  const date = serverTime(text);
  const isToday = date.toDateString() === new Date().toDateString();
  if (!isToday) return new Intl.DateTimeFormat(locale(), dayForm(date)).format(date);
  const form = { hour: "2-digit", minute: "2-digit" } as const;
  return new Intl.DateTimeFormat(locale(), form).format(date);
}

function dayForm(date: Date): Intl.DateTimeFormatOptions {
  const isThisYear = date.getFullYear() === new Date().getFullYear();
  return { year: isThisYear ? undefined : "numeric", month: "short", day: "numeric" };
}

/** The day `text`, a UTC date as YYYY-MM-DD. */
export function day(text: string): string {
  const form = { month: "short", day: "numeric", timeZone: "UTC" } as const;
  return new Intl.DateTimeFormat(locale(), form).format(new Date(`${text}T00:00:00Z`));
}

/** A number of seconds in the largest unit that gives at least two; rounded up. */
export function duration(seconds: number): string {
  if (seconds < 120) return inUnit(seconds, "second");
  return seconds < 7200 ? inUnit(seconds / 60, "minute") : inUnit(seconds / 3600, "hour");
}

function inUnit(value: number, unit: string): string {
  const form = { style: "unit", unit, unitDisplay: "long" } as const;
  return new Intl.NumberFormat(locale(), form).format(Math.ceil(value));
}

export function size(bytes: number): string {
  if (bytes < 1024) return `${number(bytes)} B`;
  const isLarge = bytes >= 1024 * 1024;
  const form = { maximumFractionDigits: 1 };
  const value = bytes / (isLarge ? 1024 * 1024 : 1024);
  return `${new Intl.NumberFormat(locale(), form).format(value)} ${isLarge ? "MB" : "KB"}`;
}

/** Parses a time from the API: ISO 8601, or `YYYY-MM-DD HH:MM:SS` in UTC. */
export function serverTime(text: string): Date {
  return new Date(text.includes("T") ? text : `${text.replace(" ", "T")}Z`);
}

/** The value of a datetime-local field in ISO 8601 (UTC). The API rejects a text that is no time. */
export function apiTime(local: string): string {
  const at = new Date(local);
  return isNaN(at.valueOf()) ? local : at.toISOString();
}

/** `at` as the value of a datetime-local field, in the time zone of the browser. */
export function localInput(at: Date): string {
  const local = new Date(at.getTime() - at.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 16);
}
