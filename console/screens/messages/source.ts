/** The two lists of messages: those of the signed-in address, and those of all senders. */

export interface Source {
  /** Whose credential the API needs. */
  as: "address" | "admin";
  /** The path of the list in the API. */
  path: string;
  /** The route of the list. */
  place: string;
}

export const OWN: Source = { as: "address", path: "/api/sendbox", place: "/sent" };

export const EVERYBODY: Source = { as: "admin", path: "/admin/sendbox", place: "/admin/sent" };
