// Read the bodies of requests within limits of time and memory.
//
// All requests of a Worker share its 128 MB. A body has two stages. While it arrives, its bytes are
// in a buffer here. Then Python takes it and handles it until the response, which needs several
// times the memory of the body. Both stages have a limit for all bodies together, and bodies take
// turns. A client that sends slowly or stops sending must not delay the others, so it loses its
// place if others wait. Waiting polls, because in Workers a request must not wait for a promise
// that another request resolves.

const MIB = 1024 * 1024;
const SMALL_BODY = 64 * 1024;

// While the buffers have more than MAX_HELD bytes together, only the oldest large body grows.
const MAX_HELD = 12 * MIB;
// The buffers never have more than this, even if there are very many small bodies.
const MOST_HELD = 28 * MIB;
// Python handles large bodies together only if they have at most this many bytes.
const MAX_HANDLED = 10 * MIB;

// Each STEP of a body, or the rest, must arrive within STEP_TIME milliseconds. If another body
// waits for its turn to grow, it must arrive within CONTENDED_STEP_TIME.
const STEP = 512 * 1024;
const STEP_TIME = 30_000;
const CONTENDED_STEP_TIME = 1_000;
// A body waits for at most this many milliseconds for each of its turns.
const LONGEST_WAIT = 60_000;
// A request that the platform has ended never releases its body. No other takes this long, and no
// other that waits is silent for this long.
const LONGEST_LIFE = 100_000;
const LONGEST_SILENCE = 5_000;
const POLL = 20;
const CHUNK = 16 * 1024;

// The bodies in buffers, and the large bodies that Python handles, both with the oldest first.
const held = new Set();
const handled = new Set();

class HeldBody {
  constructor(limit) {
    // It grows in place, so JavaScript has no second copy of the body.
    this.buffer = new ArrayBuffer(0, { maxByteLength: limit });
    this.bytes = 0;
    this.stage = "arrives"; // then "waits" and "arrives" in turn, and "complete"
    this.since = Date.now(); // the beginning of the present step, or of being handled
    this.polled = undefined; // the time of the last poll, while it waits
  }

  get isLarge() {
    return this.bytes > SMALL_BODY;
  }
}

const sum = (bodies) => [...bodies].reduce((bytes, body) => bytes + body.bytes, 0);

const release = (body) => {
  held.delete(body);
  handled.delete(body);
  body.buffer.resize(0);
};

// Release the body that arrives most slowly, if its step takes more than `milliseconds`.
const releaseSlowest = (bodies, milliseconds) => {
  const [slowest] = bodies
    .filter(({ stage }) => stage === "arrives")
    .sort((one, other) => one.since - other.since);
  const isSlow = slowest !== undefined && Date.now() - slowest.since > milliseconds;
  if (isSlow) release(slowest);
  return isSlow;
};

const releaseDead = () => {
  const now = Date.now();
  for (const body of [...held, ...handled]) {
    const isSilent = now - body.polled > LONGEST_SILENCE; // false if it does not wait
    if (isSilent || now - body.since > LONGEST_LIFE) release(body);
  }
};

// Time in which the Worker was busy and read nothing does not count against the clients. Of the
// bodies that poll at the same time, only the first adds it: `busyUntil` is the end of what is added.
let busyUntil = 0;
const poll = async () => {
  const start = Date.now();
  await new Promise((resolve) => setTimeout(resolve, POLL));
  const now = Date.now();
  const busy = now - Math.max(start, busyUntil) - POLL;
  if (busy < POLL) return;
  busyUntil = now;
  for (const body of held) {
    body.since = Math.min(now, body.since + busy);
    if (body.polled) body.polled = Math.min(now, body.polled + busy);
  }
};

const mayGrow = (body) => {
  while (sum(held) > MAX_HELD) {
    const large = [...held].filter(({ isLarge }) => isLarge);
    if (large[0] === body) return true;
    if (!releaseSlowest(large, CONTENDED_STEP_TIME)) return false;
  }
  return true;
};

const mayBeHandled = (body) => {
  const isNext = [...held].find(({ stage }) => stage === "complete") === body;
  return isNext && (handled.size === 0 || sum(handled) + body.bytes <= MAX_HANDLED);
};

// Wait until `may` permits it. A body that waits for too long is released.
const turnOf = async (body, may) => {
  const end = Date.now() + LONGEST_WAIT;
  while (held.has(body) && !may(body)) {
    if (Date.now() > end) return release(body);
    body.polled = Date.now();
    releaseDead();
    await poll();
  }
  body.polled = undefined;
  body.since = Date.now();
};

// Add the chunk to the body, unless the body is released meanwhile.
const add = async (body, chunk) => {
  const steps = Math.floor(body.bytes / STEP);
  body.bytes += chunk.byteLength;
  if (Math.floor(body.bytes / STEP) > steps) body.since = Date.now();
  if (!held.has(body)) return;
  if (body.isLarge && !mayGrow(body)) {
    body.stage = "waits";
    await turnOf(body, mayGrow);
    body.stage = "arrives";
  }
  while (held.has(body) && sum(held) > MOST_HELD) {
    releaseSlowest([...held], -1); // at least this body itself arrives
  }
  if (!held.has(body)) return;
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
  body.stage = "complete";
  if (body.isLarge) await turnOf(body, mayBeHandled);
  return held.has(body) ? undefined : "no_room";
};

// The body as an array of bytes, or the problem: `too_large` if it has more than `limit` bytes,
// `too_slow`, or `no_room`. At most `mostRead` bytes are read. `free` must be called for a large
// body after it was copied, and `finish` after the response.
export const readBody = async (request, limit, mostRead) => {
  if (!request.body) return new Uint8Array();
  const body = new HeldBody(limit);
  const reader = request.body.getReader({ mode: "byob" });
  held.add(body);
  try {
    const problem = await fill(body, reader, limit, mostRead);
    if (problem) return problem;
    if (body.isLarge) handled.add(body);
    return new Uint8Array(body.buffer);
  } finally {
    held.delete(body);
    if (!handled.has(body)) reader.cancel().catch(() => {});
  }
};

// Free the buffer of a large body at once. The garbage collector would do it some time later.
export const free = (array) => array.buffer.resize(0);

// The request of a large body has ended.
export const finish = (array) => {
  for (const body of handled) if (body.buffer === array.buffer) handled.delete(body);
};
