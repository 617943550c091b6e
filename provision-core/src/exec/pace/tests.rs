//! Clients and a server with a token bucket, in virtual time.

use std::collections::BTreeMap;

use super::*;

/// Calls per second, by the time.
type Flow = fn(u64) -> f64;

/// A server: a token bucket with a flow that may change, and how long calls take.
struct Server {
    /// How many calls it takes at once.
    burst: f64,
    /// Calls per second, by the time.
    flow: Flow,
    /// From sending a call to its answer, in milliseconds. Half of it is the way there; throttling answers come back in no
    /// more than 20.
    latency: u64,
    /// How much longer each way may take.
    jitter: u64,
}

impl Server {
    fn new(burst: f64, flow: Flow) -> Self {
        Self { burst, flow, latency: 0, jitter: 0 }
    }
}

/// What happens to a call of a client.
#[derive(Clone, Copy)]
enum Event {
    Arrives,
    Taken,
    Throttled,
}

/// How it went.
#[derive(Debug)]
struct Went {
    /// How long it took, in milliseconds.
    took: u64,
    /// How long it has to take at the least.
    bound: u64,
    /// How many of a hundred calls were throttled once.
    throttled: usize,
}

impl Went {
    /// Within so many percent of the bound.
    fn within(&self, percent: u64) -> bool {
        self.took * 100 <= self.bound * (100 + percent)
    }
}

struct Client {
    pace: Pace,
    begins: u64,
    left: usize,
    in_flight: usize,
}

/// Each client makes so many calls, from its time on, at most 128 at once.
fn play(server: &Server, begins: &[u64], calls: usize) -> Went {
    let client = |begins: &u64| Client { pace: Pace::default(), begins: *begins, left: calls, in_flight: 0 };
    let mut clients: Vec<Client> = begins.iter().map(client).collect();
    let total = calls * clients.len();
    let (mut level, mut taken, mut throttled, mut number) = (server.burst, 0, 0, 0);
    let mut events: BTreeMap<(u64, u64), (usize, Sent, Event)> = BTreeMap::new();
    let mut dice = 12_345_u64;
    let mut late = || {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        dice % (server.jitter + 1)
    };
    let mut now = 0;
    while taken < total {
        let mut sent = true;
        while sent {
            while let Some(event) = events.first_entry().filter(|event| event.key().0 <= now) {
                let (index, call, event) = event.remove();
                let client = &mut clients[index];
                number += 1;
                match event {
                    Event::Arrives => {
                        let free = level > 0.999_999;
                        level -= if free { 1.0 } else { 0.0 };
                        let half = server.latency / 2;
                        let (answer, back) = if free { (Event::Taken, half) } else { (Event::Throttled, half.min(20)) };
                        events.insert((now + back + late(), number), (index, call, answer));
                    }
                    Event::Taken => {
                        client.pace.taken(call);
                        client.in_flight -= 1;
                        taken += 1;
                    }
                    Event::Throttled => {
                        client.pace.throttled(call, now);
                        client.in_flight -= 1;
                        client.left += 1;
                        throttled += 1;
                    }
                }
            }
            sent = false;
            for (index, client) in clients.iter_mut().enumerate().filter(|(_, client)| now >= client.begins) {
                if client.left > 0 && client.in_flight < 128 && client.pace.wait(now).is_none() {
                    (client.left, client.in_flight, sent) = (client.left - 1, client.in_flight + 1, true);
                    number += 1;
                    let call = client.pace.sent(now);
                    events.insert((now + server.latency / 2 + late(), number), (index, call, Event::Arrives));
                }
            }
        }
        now += 1;
        level = (level + (server.flow)(now) / 1_000.0).min(server.burst);
        assert!(now < 3_600_000, "it does not end: {taken} of {total}");
    }
    let first = begins.iter().min().copied().unwrap_or_default();
    Went { took: now - first, bound: bound(server, first, total), throttled: throttled * 100 / total }
}

/// How long the calls take with a server that never waits for one.
fn bound(server: &Server, from: u64, calls: usize) -> u64 {
    let (mut could, mut at) = (server.burst, from);
    while could < float(calls.try_into().unwrap()) {
        could += (server.flow)(at) / 1_000.0;
        at += 1;
    }
    at - from + server.latency
}

#[test]
fn five_hundred_calls_take_what_the_limit_says() {
    for (burst, percent) in [(1.0, 10), (5.0, 1), (50.0, 1), (100.0, 1)] {
        let went = play(&Server::new(burst, |_| 20.0), &[0], 500);
        assert!(went.within(percent), "a burst of {burst}: {went:?}");
        assert!(went.throttled <= 10, "a burst of {burst}: {went:?}");
    }
}

#[test]
fn so_they_do_where_calls_are_on_their_way_for_long() {
    for (latency, jitter) in [(100, 0), (100, 30), (500, 0), (500, 30)] {
        let cases: [(f64, usize, Flow); 4] =
            [(5.0, 500, |_| 20.0), (50.0, 500, |_| 20.0), (50.0, 300, |_| 2.0), (50.0, 3_000, |_| 100.0)];
        for (burst, calls, flow) in cases {
            let went = play(&Server { latency, jitter, ..Server::new(burst, flow) }, &[0], calls);
            assert!(went.within(10), "a burst of {burst}, {latency} ms, jitter {jitter}: {went:?}");
        }
    }
}

#[test]
fn clients_that_share_a_limit_use_all_of_it() {
    for begins in [&[0, 0][..], &[0, 10_000], &[0, 0, 3_000, 6_000]] {
        for latency in [0, 100] {
            let server = Server { latency, jitter: latency / 3, ..Server::new(50.0, |_| 20.0) };
            let went = play(&server, begins, 500);
            assert!(went.within(8), "from {begins:?}, {latency} ms: {went:?}");
        }
    }
}

#[test]
fn a_limit_that_changes_is_found_again() {
    let cases: [(&str, usize, Flow); 4] = [
        ("falls", 500, |at| if at < 10_000 { 20.0 } else { 5.0 }),
        ("rises", 500, |at| if at < 10_000 { 20.0 } else { 40.0 }),
        ("falls and rises", 1_000, |at| if (8_000..20_000).contains(&at) { 10.0 } else { 40.0 }),
        ("rises tenfold", 3_000, |at| if at < 10_000 { 20.0 } else { 200.0 }),
    ];
    for (what, calls, flow) in cases {
        for latency in [0, 100] {
            let went = play(&Server { latency, ..Server::new(20.0, flow) }, &[0], calls);
            assert!(went.within(15), "{what}, {latency} ms: {went:?}");
        }
    }
}

#[test]
fn without_throttling_there_is_no_pace() {
    let went = play(&Server { latency: 100, ..Server::new(1e9, |_| 0.0) }, &[0], 1_280);
    assert_eq!((went.took, went.throttled), (1_001, 0), "ten times 128 at once");
}

#[test]
fn a_pace_that_holds_nobody_up_does_not_grow() {
    let mut pace = Pace::default();
    let first = pace.sent(0);
    pace.throttled(first, 10);
    let rate = pace.rate;
    for second in 1..100 {
        assert_eq!(pace.wait(second * 1_000), None);
        let call = pace.sent(second * 1_000);
        pace.taken(call);
    }
    assert_eq!(pace.rate, rate, "a call a second tells nothing about twenty");
}

#[test]
fn what_was_sent_before_the_pace_was_changed_does_not_change_it_again() {
    let mut pace = Pace::default();
    let calls: Vec<Sent> = (0..100).map(|_| pace.sent(0)).collect();
    pace.throttled(calls[50], 10);
    let rate = pace.rate;
    for call in &calls[..50] {
        pace.throttled(*call, 300);
    }
    assert_eq!(pace.rate, rate);
}

#[test]
fn turns_that_were_not_used_take_no_time_and_tell_nothing() {
    let mut pace = Pace::default();
    let first = pace.sent(0);
    pace.throttled(first, 10);
    let rate = pace.rate;
    for _ in 0..1_000 {
        assert_eq!(pace.wait(10), None);
        let unused = pace.sent(10);
        pace.not_sent(unused);
        // As its permit does.
        pace.taken(unused);
    }
    let next = pace.sent(500);
    assert!(pace.wait(500).is_some(), "one that is sent holds up the next one");
    pace.throttled(next, 500);
    assert!(pace.rate < rate, "none of the thousand was taken");
}
