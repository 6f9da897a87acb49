// Read the bodies of requests within limits of time and memory.
//
// While a body arrives, its bytes are in a buffer here. Then Python takes it and works on it
// (`memory.mjs`). A client that sends slowly or stops sending must not delay the others, so it loses
// its place if others wait.

import {
  MIB,
  Room,
  bytesOfClients,
  first,
  inStages,
  release,
  rooms,
  sum,
  turnOf,
  turnToWork,
} from "./memory.mjs";

const SMALL_BODY = 64 * 1024;

// While the buffers have more than MAX_HELD bytes together, only one large body grows.
const MAX_HELD = 12 * MIB;
// The buffers never have more than this, even if there are very many small bodies.
const MOST_HELD = 28 * MIB;

// Each STEP of a body, or the rest, must arrive within STEP_TIME milliseconds. If another body
// waits for its turn to grow, it must arrive within CONTENDED_STEP_TIME.
const STEP = 512 * 1024;
const STEP_TIME = 30_000;
const CONTENDED_STEP_TIME = 1_000;
// A body waits for at most this many milliseconds for each of its turns to grow.
const LONGEST_PAUSE = 60_000;
const CHUNK = 16 * 1024;

class HeldBody extends Room {
  constructor(client, limit) {
    super(client, 0, "arrives");
    // It grows in place, so JavaScript has no second copy of the body.
    this.buffer = new ArrayBuffer(0, { maxByteLength: limit });
  }

  get isLarge() {
    return this.bytes > SMALL_BODY;
  }

  empty() {
    this.buffer.resize(0);
  }
}

const held = () =>
  inStages("arrives", "pauses", "queues").filter((room) => room instanceof HeldBody);
const oldestStep = (bodies) => bodies.sort((one, other) => one.since - other.since)[0];

// Release the body that arrives most slowly, if its step takes too long for those that wait.
const releaseSlow = (bodies) => {
  const slowest = oldestStep(bodies.filter(({ stage }) => stage === "arrives"));
  const isSlow = slowest !== undefined && Date.now() - slowest.since > CONTENDED_STEP_TIME;
  if (isSlow) release(slowest);
  return isSlow;
};

const mayGrow = (body) => {
  while (sum(held()) > MAX_HELD) {
    const large = inStages("arrives", "pauses").filter(({ isLarge }) => isLarge);
    if (first(large) === body) return true;
    if (!releaseSlow(large)) return false;
  }
  return true;
};

// Release a body of the client that has the most bytes.
const releaseOne = () => {
  const bytes = bytesOfClients();
  const bodies = held();
  const most = Math.max(...bodies.map(({ client }) => bytes.get(client)));
  release(oldestStep(bodies.filter(({ client }) => bytes.get(client) === most)));
};

// Add the chunk to the body, unless the body is released meanwhile.
const add = async (body, chunk) => {
  const steps = Math.floor(body.bytes / STEP);
  body.bytes += chunk.byteLength;
  if (Math.floor(body.bytes / STEP) > steps) body.since = Date.now();
  if (!rooms.has(body)) return;
  if (body.isLarge && !mayGrow(body)) {
    body.stage = "pauses";
    await turnOf(body, mayGrow, LONGEST_PAUSE);
    body.enter("arrives");
  }
  while (rooms.has(body) && sum(held()) > MOST_HELD) releaseOne();
  if (!rooms.has(body)) return;
  body.buffer.resize(body.bytes);
  new Uint8Array(body.buffer).set(chunk, body.bytes - chunk.byteLength);
};

// Read the next chunk of the stream into `space`; undefined if the body is too slow.
const nextChunk = async (reader, space, body) => {
  let timer;
  const timeout = new Promise((resolve) => {
    timer = setTimeout(resolve, body.since + STEP_TIME - Date.now());
  });
  try {
    return await Promise.race([reader.read(space), timeout]);
  } finally {
    clearTimeout(timer);
  }
};

// Read the stream into the body. Return the problem, if there is one.
//
// A body that is too large, or that is released, is read without keeping it: many clients read the
// response only after sending the whole request.
const fill = async (body, reader, limit, mostRead) => {
  let space = new Uint8Array(CHUNK); // every chunk is in the same memory
  while (body.bytes <= mostRead) {
    const chunk = await nextChunk(reader, space, body);
    if (chunk === undefined) return "too_slow";
    if (chunk.done) break;
    if (body.bytes + chunk.value.byteLength > limit) release(body);
    await add(body, chunk.value);
    space = new Uint8Array(chunk.value.buffer);
  }
  if (body.bytes > limit) return "too_large";
  body.stage = "queues";
  if (body.isLarge) await turnToWork(body);
  return rooms.has(body) ? undefined : "no_room";
};

// The body as an array of bytes, or the problem: `too_large` if it has more than `limit` bytes,
// `too_slow`, or `no_room`. At most `mostRead` bytes are read. The array of a large body has a
// `room`, which must be released. It must be emptied as soon as the bytes are copied.
export const readBody = async (request, client, limit, mostRead) => {
  if (!request.body) return new Uint8Array();
  const body = new HeldBody(client, limit);
  const reader = request.body.getReader({ mode: "byob" });
  rooms.add(body);
  try {
    const problem = await fill(body, reader, limit, mostRead);
    if (problem) return problem;
    const array = new Uint8Array(body.buffer);
    if (body.isLarge) array.room = body;
    return array;
  } finally {
    if (body.stage !== "works") {
      rooms.delete(body);
      reader.cancel().catch(() => {});
    }
  }
};

// Whether the request has no body, or declares a small one.
export const isSmall = (request) =>
  request.body === null || Number(request.headers.get("content-length") ?? NaN) <= SMALL_BODY;

// The network of a client: its IP address, or the first half of an IPv6 address.
export const networkOf = (ip) => {
  if (!ip?.includes(":")) return ip;
  const [head, tail] = ip.split("::").map((part) => (part ? part.split(":") : []));
  const zeros = tail ? Array(Math.max(0, 8 - head.length - tail.length)).fill("0") : [];
  return [...head, ...zeros, ...(tail ?? [])].slice(0, 4).join(":");
};

// Like `readBody`, for a small body. The problem is also `unreadable`: the client disconnected.
export const readSmallBody = async (request) => {
  const client = networkOf(request.headers.get("cf-connecting-ip"));
  try {
    return await readBody(request, client, SMALL_BODY, SMALL_BODY);
  } catch {
    return "unreadable";
  }
};
