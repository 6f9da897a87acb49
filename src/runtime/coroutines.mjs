// Run Python's coroutines from promise to promise. coroutines.py explains how.

import { waitUntil } from "cloudflare:workers";
import * as bodies from "./bodies.mjs";
import * as bridge from "./bridge.mjs";
import { take } from "./memory.mjs";

const functions = { ...bridge, readBody: bodies.readBody, take };

// Python's `resume`, and its function that makes the coroutine of a request and returns its number.
let resume, respond;

export const connect = (...given) => {
  [resume, respond] = given;
};

// The last coroutine that ran waits for this promise.
let awaited;

// Call an asynchronous function of another module.
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

// The platform may end an invocation when its client disconnects. With `waitUntil` it does not.
const keepRunning = (promise) => {
  waitUntil(promise.catch(() => {})); // the code that awaits the promise handles its error
  return promise;
};

// Begin the coroutine as soon as those that run now are suspended or have ended.
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
