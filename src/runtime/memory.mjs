// Share the memory of a Worker among the requests and jobs that have large content.
//
// All of them share its 128 MB. Each has a room in one of these stages:
//   arrives  its body is in a buffer and grows
//   pauses   the same, but other bodies grow first
//   queues   its content is complete and waits for work
//   works    Python works on the content, which needs several times its memory
//   kept     it waits for the provider, with nothing but the message
// Each stage has a limit. The client with the fewest bytes in other rooms comes first, so no client
// can use all the memory. Waiting polls, because in Workers a request must not wait for a promise
// that another request resolves.

export const MIB = 1024 * 1024;

// Python works on several contents together only if they have at most this many bytes.
const MAX_WORK = 10 * MIB;
// The messages that wait for the provider have at most this many bytes, those of a client half of
// the bytes that the others leave. Each client may have one.
const MAX_KEPT = 12 * MIB;
const LARGEST_MESSAGE = 5 * MIB;

// Work is short, so waiting longer for it than this means that there is too much of it.
const LONGEST_QUEUE = 15_000;
// A request that the platform has ended never releases its room. No other takes this long, and no
// other that waits is silent for this long.
const LONGEST_WORK = 75_000;
const LONGEST_LIFE = 100_000;
const LONGEST_SILENCE = 5_000;
const POLL = 20;

export class Room {
  constructor(client, bytes, stage) {
    this.client = client;
    this.bytes = bytes;
    this.polled = undefined; // the time of the last poll, while it waits
    this.enter(stage);
  }

  enter(stage) {
    this.stage = stage;
    this.since = Date.now();
  }

  empty() {}
}

// The oldest first.
export const rooms = new Set();

export const sum = (rooms) => rooms.reduce((bytes, room) => bytes + room.bytes, 0);

export const inStages = (...stages) => [...rooms].filter(({ stage }) => stages.includes(stage));

export const release = (room) => {
  rooms.delete(room);
  room.empty();
};

// The bytes of each client.
export const bytesOfClients = () => {
  const bytes = new Map();
  for (const room of rooms) bytes.set(room.client, (bytes.get(room.client) ?? 0) + room.bytes);
  return bytes;
};

// The room whose client has the fewest bytes in other rooms. Of several, the oldest one.
export const first = (candidates) => {
  const bytes = bytesOfClients();
  const others = (room) => bytes.get(room.client) - room.bytes;
  const lighter = (best, room) => (others(room) < others(best) ? room : best);
  return candidates.reduce(lighter, candidates[0]);
};

const releaseDead = () => {
  const now = Date.now();
  for (const room of rooms) {
    const longest = room.stage === "works" ? LONGEST_WORK : LONGEST_LIFE;
    const isSilent = now - room.polled > LONGEST_SILENCE; // false if it does not wait
    if (isSilent || now - room.since > longest) release(room);
  }
};

// Time in which the Worker was busy and read nothing does not count against the clients.
// Of the rooms that poll at the same time, only the first adds it: `busyUntil` is the end of what is
// added.
let busyUntil = 0;
const poll = async () => {
  const start = Date.now();
  await new Promise((resolve) => setTimeout(resolve, POLL));
  const now = Date.now();
  const busy = now - Math.max(start, busyUntil) - POLL;
  if (busy < POLL) return;
  busyUntil = now;
  for (const room of rooms) {
    room.since = Math.min(now, room.since + busy);
    if (room.polled) room.polled = Math.min(now, room.polled + busy);
  }
};

// Wait until `may` permits it. After `longest` milliseconds, release the room.
export const turnOf = async (room, may, longest) => {
  const end = Date.now() + longest;
  while (rooms.has(room) && !may(room)) {
    if (Date.now() > end) return release(room);
    room.polled = Date.now();
    releaseDead();
    await poll();
  }
  room.polled = undefined;
};

// Whether the message in the content of this room may wait for the provider.
const mayKeep = (room) => {
  const size = ({ bytes }) => Math.min(bytes, LARGEST_MESSAGE);
  const before = inStages("works", "kept");
  const own = before.filter(({ client }) => client === room.client);
  const total = (rooms) => rooms.reduce((bytes, room) => bytes + size(room), 0);
  const others = total(before) - total(own);
  const withThis = total(own) + size(room);
  return others + withThis <= MAX_KEPT && (!own.length || 2 * withThis <= MAX_KEPT - others);
};

const mayWork = (room) => {
  const working = inStages("works");
  const fits = !working.length || sum(working) + room.bytes <= MAX_WORK;
  return fits && mayKeep(room) && first(inStages("queues").filter(mayKeep)) === room;
};

// Wait for the turn of a room in the stage `queues`. False if there is too much work.
export const turnToWork = async (room) => {
  await turnOf(room, mayWork, LONGEST_QUEUE);
  if (rooms.has(room)) room.enter("works");
  return rooms.has(room);
};

// A room for work on `bytes` of content, or undefined if there is too much work.
export const take = async (bytes, client) => {
  const room = new Room(client, bytes, "queues");
  rooms.add(room);
  return (await turnToWork(room)) ? room : undefined;
};

// The work is done. Until it is released, the room has only messages with `bytes`.
export const keep = (room, bytes) => {
  room.bytes = bytes;
  room.enter("kept");
};
