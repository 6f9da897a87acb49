"""``runtime/bodies.mjs`` and ``memory.mjs``: limits of time and memory, in Node.js."""

import json
import subprocess
from typing import Any

import pytest

from tests.unit.source import SRC
from tools.wrangler import node_binary

LIMIT = 10 * 1024 * 1024

# Requests whose bodies arrive as the tests want, and a clock that the tests turn. Each `open` is a
# client; `push` sends bytes. A result has the problem, or the number of bytes and the time.
HARNESS = """
let clock = 0;
let timers = [];
Date.now = () => clock;
globalThis.setTimeout = (call, delay) => {
  const timer = { call, at: clock + Math.max(0, delay) };
  timers.push(timer);
  return timer;
};
globalThis.clearTimeout = (timer) => (timers = timers.filter((one) => one !== timer));
const settle = async () => {
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
};
const buffers = [];
globalThis.ArrayBuffer = class extends ArrayBuffer {
  constructor(...given) {
    super(...given);
    buffers.push(this);
  }
};
const resident = () => buffers.reduce((bytes, { byteLength }) => bytes + byteLength, 0);
const advance = async (milliseconds) => {
  const end = clock + milliseconds;
  await settle();
  for (;;) {
    const due = timers.filter(({ at }) => at <= end).sort((one, other) => one.at - other.at)[0];
    if (!due) break;
    clearTimeout(due);
    clock = Math.max(clock, due.at);
    due.call();
    await settle();
  }
  clock = end;
};

const { networkOf, readBody } = await import(process.argv[1]);
const memory = await import(process.argv[1].replace("bodies.mjs", "memory.mjs"));
const LIMIT = 10 * 1024 * 1024;
const results = {};
const arrays = {};
const open = (name, client = "client") => {
  let controller;
  const body = new ReadableStream({ type: "bytes", start: (given) => (controller = given) });
  readBody({ body }, client, LIMIT, 10 * LIMIT).then((result) => {
    arrays[name] = result;
    results[name] = [typeof result === "string" ? result : result.byteLength, clock];
  });
  return {
    push: async (bytes, chunk = 256 * 1024) => {
      for (let left = bytes; left > 0 && !(name in results); left -= chunk) {
        controller.enqueue(new Uint8Array(Math.min(left, chunk)));
      }
      await settle();
    },
    end: async () => {
      controller.close();
      controller.byobRequest?.respond(0);
      await settle();
    },
  };
};
const send = async (name, size, client) => {
  const body = open(name, client);
  await body.push(size);
  await body.end();
};
// Python copies the bytes of the body.
const copy = (name) => arrays[name].room.empty();
// The request waits for the provider, with a message of `size` bytes.
const keep = async (name, size) => {
  copy(name);
  memory.keep(arrays[name].room, size);
  await advance(50);
};
const finish = async (name) => {
  copy(name);
  memory.release(arrays[name].room);
  await advance(50);
};
const taken = (name, size, client) =>
  memory.take(size, client).then((room) => {
    arrays[name] = { room };
    results[name] = [room ? size : "no_room", clock];
  });
"""


def run(script: str) -> dict[str, Any]:
    """The ``results`` of the script: the result of each body, and the time when it was known."""
    source = f"{HARNESS}{script}\nconsole.log(JSON.stringify(results)); process.exit()"
    module = (SRC / "runtime" / "bodies.mjs").as_uri()
    ended = subprocess.run(
        [node_binary(), "--input-type=module", "--eval", source, module],
        capture_output=True,
        check=True,
        text=True,
        timeout=60,
    )
    results: dict[str, Any] = json.loads(ended.stdout)
    return results


def test_a_body_without_progress_ends_after_half_a_minute() -> None:
    results = run(
        """
        const idle = open("idle"), small = open("small"), none = open("none");
        await idle.push(LIMIT - 1);
        await small.push(100);
        await advance(29_000);
        results.before = Object.keys(results).length;
        await advance(2_000);
        """
    )
    assert results["before"] == 0
    for name in ("idle", "small", "none"):
        assert results[name] == ["too_slow", 30_000]


def test_a_body_that_drips_ends_too() -> None:
    results = run(
        """
        const drips = open("drips");
        for (let second = 0; second < 40; second++) {
          await drips.push(10_000);
          await advance(1_000);
        }
        """
    )
    assert results["drips"] == ["too_slow", 30_000]


def test_a_steady_slow_body_is_read() -> None:
    results = run(
        """
        const slow = open("slow");
        for (let second = 0; second < 100; second++) {
          await slow.push(20_000);
          await advance(1_000);
        }
        await slow.end();
        """
    )
    assert results["slow"] == [2_000_000, 100_000]


@pytest.mark.parametrize("drip", [0, 100])
def test_idle_bodies_do_not_delay_a_quick_one(drip: int) -> None:
    results = run(
        f"""
        const idle = [open("idle0"), open("idle1"), open("idle2")];
        for (const one of idle) await one.push(LIMIT - 100_000);
        for (let step = 0; step < 70; step++) {{
          await Promise.all(idle.map((one) => one.push({drip})));
          await advance(100);
        }}
        const quick = open("quick");
        await quick.push(4_000_000);
        await quick.end();
        await advance(100);
        """
    )
    assert results["quick"] == [4_000_000, 7_000]


def test_a_quick_body_waits_a_second_for_each_idle_one_before_it() -> None:
    results = run(
        """
        for (const name of ["idle0", "idle1"]) await open(name).push(LIMIT - 100_000);
        const quick = open("quick");
        await quick.push(4_000_000);
        await quick.end();
        await advance(5_000);
        """
    )
    size, at = results["quick"]
    assert size == 4_000_000
    assert at < 2_100


def test_a_released_body_gets_its_problem_when_it_ends() -> None:
    results = run(
        """
        const idle = open("idle");
        await idle.push(LIMIT - 100_000);
        const quick = open("quick");
        await quick.push(4_000_000);
        await advance(3_000);
        await idle.push(1_000);
        results.before = "idle" in results;
        await idle.end();
        """
    )
    assert not results["before"]
    assert results["idle"] == ["no_room", 3_000]


@pytest.mark.parametrize("size", [60_000, 10_000_000])
def test_the_memory_of_unfinished_bodies_is_limited(size: int) -> None:
    results = run(
        f"""
        results.most = 0;
        for (let sent = 0; sent < 100_000_000; sent += {size}) {{
          await open(sent).push({size});
          await advance(10);
          results.most = Math.max(results.most, resident());
        }}
        """
    )
    assert results["most"] < 30_000_000


def test_large_bodies_are_handled_one_after_the_other() -> None:
    results = run(
        """
        for (const name of ["first", "second", "third"]) {
          const one = open(name);
          await one.push(9_000_000);
          await one.end();
        }
        await advance(1_000);
        results.at_first = Object.keys(results);
        await finish("first");
        results.then = Object.keys(results).filter((name) => name !== "at_first");
        await finish("second");
        """
    )
    assert results["at_first"] == ["first"]
    assert results["then"] == ["first", "second"]
    assert results["third"][0] == 9_000_000


def test_small_bodies_pass_large_ones() -> None:
    results = run(
        """
        for (const name of ["handled", "waits"]) {
          const large = open(name);
          await large.push(9_000_000);
          await large.end();
        }
        const small = open("small");
        await small.push(60_000);
        await small.end();
        """
    )
    assert results["small"] == [60_000, 0]
    assert "waits" not in results


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2"),
        ("2001:db8::1", "2001:db8:0:0"),
        ("2001:db8:1:2::1", "2001:db8:1:2"),
        ("::1", "0:0:0:0"),
        ("1::2:3:4:5:6:7", "1:0:2:3"),
    ],
)
def test_addresses_of_one_network_are_one_client(address: str, network: str) -> None:
    results = run(f"results.network = networkOf({address!r});")
    assert results == {"network": network}


def test_a_body_does_not_wait_for_ever() -> None:
    results = run(
        """
        for (const name of ["handled", "waits"]) {
          const large = open(name);
          await large.push(9_000_000);
          await large.end();
        }
        await advance(16_000);
        results.before = results.waits;
        await advance(50_000);
        const late = open("late");
        await late.push(9_000_000);
        await late.end();
        await advance(14_000);
        """
    )
    assert results["before"][0] == "no_room"
    assert results["late"][0] == 9_000_000  # the request of the first one must have been ended


def test_time_in_which_the_worker_is_busy_does_not_count() -> None:
    results = run(
        """
        const quick = open("quick");
        await quick.push(9_000_000);
        const other = open("other");
        await other.push(5_000_000);
        await other.end();
        await advance(500);
        clock += 900; // a long computation
        await advance(100);
        await quick.push(1_000_000);
        await quick.end();
        """
    )
    assert results["quick"][0] == 10_000_000


def test_a_request_that_waits_for_the_provider_lets_others_work() -> None:
    results = run(
        """
        for (const name of ["first", "second", "third"]) await send(name, LIMIT, "thief");
        await keep("first", 2_000);
        await keep("second", 2_000);
        """
    )
    size, at = results["third"]
    assert size == LIMIT
    assert at < 200


def test_a_client_with_large_messages_at_the_provider_does_not_stop_others() -> None:
    results = run(
        """
        await send("first", LIMIT, "thief");
        await send("second", LIMIT, "thief");
        await keep("first", 5_000_000);
        await send("other", LIMIT, "owner");
        await advance(100);
        """
    )
    assert results["other"][0] == LIMIT
    assert "second" not in results


def test_a_client_gets_room_again_when_the_provider_has_responded() -> None:
    results = run(
        """
        for (const name of ["first", "second"]) await send(name, LIMIT, "client");
        await keep("first", 5_000_000);
        results.before = "second" in results;
        await finish("first");
        """
    )
    assert not results["before"]
    assert results["second"][0] == LIMIT


def test_messages_at_the_provider_have_a_limit_for_all_clients() -> None:
    results = run(
        """
        for (const name of ["a", "b", "c"]) {
          await send(name, LIMIT, name);
          if (name in results) await keep(name, 5_000_000);
        }
        """
    )
    assert "b" in results
    assert "c" not in results


def test_the_client_with_the_fewest_bytes_works_first() -> None:
    results = run(
        """
        for (const name of ["first", "second", "third"]) await send(name, LIMIT, "thief");
        await send("other", 100_000, "owner");
        await finish("first");
        results.then = Object.keys(results);
        """
    )
    assert results["then"] == ["first", "other"]


def test_work_without_a_body_takes_its_turn_too() -> None:
    results = run(
        """
        await send("body", LIMIT, "client");
        taken("retry", LIMIT, "client");
        taken("hopeless", LIMIT, "client");
        await advance(1_000);
        await finish("body");
        await advance(16_000);
        """
    )
    assert results["retry"][0] == LIMIT
    assert results["hopeless"][0] == "no_room"


def test_slow_bodies_of_one_client_do_not_delay_another() -> None:
    """Each of forty bodies arrives with 560 KB/s, so fast that it is not slow."""
    results = run(
        """
        const slow = [];
        for (let number = 0; number < 40; number++) slow.push(open(number, "thief"));
        const step = async () => {
          await Promise.all(slow.map((one) => one.push(56_000, 56_000)));
          await advance(100);
        };
        for (let count = 0; count < 20; count++) await step();
        const quick = open("quick", "owner");
        for (let count = 0; count < 10; count++) {
          await quick.push(1_000_000);
          await step();
        }
        await quick.end();
        await advance(100);
        """
    )
    size, at = results["quick"]
    assert size == 10_000_000
    assert at < 3_200


def test_the_client_with_the_most_bytes_loses_a_body_first() -> None:
    results = run(
        """
        for (let number = 0; number < 600; number++) await open(number, "thief").push(60_000);
        await send("small", 60_000, "owner");
        """
    )
    assert results["small"] == [60_000, 0]


def test_bodies_that_wait_do_not_prolong_the_time_of_an_idle_one() -> None:
    results = run(
        """
        const idle = open("idle");
        await idle.push(LIMIT - 100_000);
        for (let number = 0; number < 10; number++) await open(number).push(1_000_000);
        for (let second = 0; second < 4; second += 0.1) {
          await advance(50);
          clock += 50; // a computation
        }
        await idle.push(1_000);
        await idle.end();
        """
    )
    assert results["idle"][0] == "no_room"


def test_a_request_that_ended_while_it_waited_does_not_stop_others() -> None:
    results = run(
        """
        for (const name of ["handled", "ended", "next"]) {
          const one = open(name);
          await one.push(9_000_000);
          await one.end();
          if (name === "ended") timers = []; // the platform ends it: it never polls again
        }
        await advance(1_000);
        await finish("handled");
        await advance(10_000);
        """
    )
    assert "ended" not in results
    assert results["next"][0] == 9_000_000
