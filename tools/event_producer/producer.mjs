// Puts the bodies that it is sent into the queue of delivery events of another local server.

export default {
  async fetch(request, env) {
    if (request.method !== "POST") return new Response();
    const bodies = await request.json();
    for (let start = 0; start < bodies.length; start += 100) {
      await env.EVENTS.sendBatch(bodies.slice(start, start + 100).map((body) => ({ body })));
    }
    return new Response();
  },
};
