// Run coroutines of Python, and await the promises that they wait for. coroutines.py explains how.

import { waitUntil } from "cloudflare:workers";
import * as bodies from "./bodies.mjs";
import * as bridge from "./bridge.mjs";
import { take } from "./memory.mjs";
import * as sockets from "./sockets.mjs";

const functions = { ...bridge, ...sockets, readBody: bodies.readBody, take };

// `resume` of coroutines.py, and a function that makes the coroutine of a request and returns its
// number.
let resume, respond;

export const connect = (...given) => {
  [resume, respond] = given;
};

// A coroutine stores a promise here before it waits. `run` reads it at once.
let awaited;

// Call an asynchronous function of another module, and store its promise.
export const call = (name, ...parameters) => {
  awaited = functions[name](...parameters);
};

export const sleep = (milliseconds) => {
  awaited = new Promise((resolve) => setTimeout(resolve, milliseconds));
};

// Run `count` coroutines concurrently, with numbers from `first` on.
export const runAll = (first, count) => {
  awaited = Promise.all(Array.from({ length: count }, (_, index) => run(first + index)));
};

// Python can raise only an error.
const asError = (thrown) => (thrown instanceof Error ? thrown : new Error(String(thrown)));

// Run the coroutine to its end. `resume` returns true if the coroutine waits, and otherwise its
// result.
const run = async (number) => {
  let value, error;
  for (;;) {
    const result = resume(number, value, error);
    if (result !== true) return result;
    const promise = awaited;
    value = error = undefined;
    try {
      value = await promise;
    } catch (thrown) {
      error = asError(thrown);
    }
  }
};

// The platform may end an invocation when its client disconnects. With `waitUntil`, the invocation
// continues for half a minute after that.
const keepRunning = (promise) => {
  waitUntil(promise.catch(() => {})); // Python logs errors of background work
  return promise;
};

// Begin the coroutine after its caller, and the coroutines around it, are suspended or have ended.
export const runInBackground = (number) => {
  keepRunning(Promise.resolve(number).then(run));
};

export const runJob = (number) => keepRunning(run(number));

// A small body is read first, so that it reaches Python in the same call as the rest of its request.
const runRequestOf = async (request) => {
  const description = bridge.describe(request);
  if (!bodies.isSmall(request)) return run(respond(description, undefined, request));
  return run(respond(description, await bodies.readSmallBody(request)));
};

export const runRequest = (request) => keepRunning(runRequestOf(request));
