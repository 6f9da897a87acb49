// Connections to SMTP servers. A connection is {socket, reader, writer}. Each function resolves to
// undefined if it takes too long.

import { TIMED_OUT, within } from "./bridge.mjs";

const MODES = { tls: "on", starttls: "starttls", none: "off" };

const open = (socket) => ({
  socket,
  reader: socket.readable.getReader(),
  writer: socket.writable.getWriter(),
});

const inTime = async (promise, milliseconds) => {
  const value = await within(promise, milliseconds);
  return value === TIMED_OUT ? undefined : value;
};

const close = ({ socket }) => {
  socket.close().catch(() => {});
};

export const connectSocket = async (hostname, port, security, milliseconds) => {
  const { connect } = await import("cloudflare:sockets"); // most deployments need no sockets
  const options = { secureTransport: MODES[security], allowHalfOpen: false };
  const connection = open(connect({ hostname, port }, options));
  connection.socket.closed.catch(() => {}); // reading and writing fail too
  const opened = await inTime(connection.socket.opened, milliseconds);
  if (opened) return connection;
  close(connection);
  return undefined;
};

// Resolves to bytes, none at the end.
export const readSocket = ({ reader }, milliseconds) => {
  const next = reader.read().then(({ value }) => value ?? new Uint8Array());
  return inTime(next, milliseconds);
};

export const writeSocket = ({ writer }, content, milliseconds) =>
  inTime(
    writer.write(content).then(() => true),
    milliseconds,
  );

export const startTls = async (connection, milliseconds) => {
  connection.reader.releaseLock();
  connection.writer.releaseLock();
  Object.assign(connection, open(connection.socket.startTls()));
  connection.socket.closed.catch(() => {});
  return inTime(
    connection.socket.opened.then(() => true),
    milliseconds,
  );
};

export const closeSocket = async (connection) => close(connection);
