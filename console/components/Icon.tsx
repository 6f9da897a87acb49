/** The icons: lines of one width in the colour of the text. */

const PATHS = {
  compose: "M12 20h9 M16.5 3.5a2.1 2.1 0 0 1 3 3L7 19l-4 1 1-4z",
  sent: "M22 2 11 13 M22 2l-7 20-4-9-9-4z",
  bolt: "M13 2 4 14h7l-1 8 9-12h-7z",
  key: "M15 15a6 6 0 1 0-5.8-4.4L3 17v4h4v-2.5h2.5V16l1.7-1.7A6 6 0 0 0 15 15z M16.5 7.5h.01",
  chart: "M4 20V10 M10 20V4 M16 20v-7 M22 20H2",
  shield: "M12 22s8-3.5 8-10V5l-8-3-8 3v7c0 6.5 8 10 8 10z",
  home: "M3 10.5 12 3l9 7.5V21h-6v-6H9v6H3z",
  search: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14z M21 21l-4.8-4.8",
  copy: "M9 9h11v11H9z M5 15H4V4h11v1",
  eye: "M2 12s3.5-7 10-7 10 7 10 7-3.5 7-10 7S2 12 2 12z M12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6z",
  clip: "M21 11.5 12.3 20a5.5 5.5 0 0 1-7.8-7.8L13 3.8a3.7 3.7 0 0 1 5.2 5.2l-8.6 8.5a1.8 1.8 0 1 1-2.6-2.6L15 7",
  image: "M4 4h16v16H4z M8.5 10a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3z M20 15l-5-5L5 20",
  clock: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z M12 7v5l3 2",
  trash: "M4 7h16 M9 7V4h6v3 M6 7l1 14h10l1-14 M10 11v6 M14 11v6",
  close: "M6 6l12 12 M18 6 6 18",
  back: "M15 5l-7 7 7 7",
  forward: "M9 5l7 7-7 7",
  check: "M5 12.5 10 17.5 20 7",
  alert: "M12 3 2 20h20z M12 10v4 M12 17h.01",
  info: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z M12 11v6 M12 7.5h.01",
  more: "M5 12h.01 M12 12h.01 M19 12h.01",
  download: "M12 3v12 M7 10l5 5 5-5 M4 20h16",
  filter: "M3 5h18 M6 12h12 M10 19h4",
  users: "M9 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8z M2 21c0-4 3-6 7-6s7 2 7 6 M16 3.5a4 4 0 0 1 0 7.2 M18 15.5c2.5.8 4 2.6 4 5.5",
  list: "M8 6h13 M8 12h13 M8 18h13 M3 6h.01 M3 12h.01 M3 18h.01",
  coins: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z M9 15c.6.9 1.7 1.3 3 1.3 1.7 0 3-.8 3-2.1 0-3-6-1.4-6-4.4C9 8.5 10.3 7.7 12 7.7c1.3 0 2.4.4 3 1.3 M12 6v12",
  leave: "M10 4H4v16h6 M15 8l4 4-4 4 M19 12H9",
  refresh: "M20 11a8 8 0 1 0-2.3 6.3 M20 4v7h-7",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 18 }: { name: IconName; size?: number }) {
  return (
    <svg
      class="icon"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width="1.75"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
