//! Refreshes that race, in every order there is: three clients of one login with three requests each, responses that
//! are lost, an authority that dies between swap and response, and time that passes inside and outside the interval.
//!
//! The orders are enumerated, not drawn. Worlds that are alike are entered once, and so are those that differ only in
//! which client is which; how many orders lead through them is counted.

mod world;

use std::collections::{HashMap, HashSet};

use self::world::{Effect, Faults, Jar, Rules, Seen, Step, Store, World};
use super::*;

/// Inside the interval; two of them are outside.
const INSIDE: u64 = 6;
const OUTSIDE: u64 = 10;

const REAL: Rules = Rules {
    decide,
    retried: TokenFamily::retried,
    store: Store::Compares,
    seen: Seen::BeforeTheLoad,
    jar: Jar::Own,
    faults: Faults::LossAndCrash,
    requests: 3,
    uses: false,
    clock: &[],
};

/// Every order, and what came of them.
#[derive(Debug, Default)]
struct Explored {
    /// How many orders there are from a world on.
    known: HashMap<Vec<u8>, u128>,
    effects: HashSet<Effect>,
    /// How often a lost response was given again.
    recovered: u64,
}

/// A property that does not hold, and the steps to where it does not.
#[derive(Debug)]
struct Broken {
    what: String,
    #[expect(dead_code, reason = "for whoever reads the failure")]
    path: Vec<Step>,
}

impl Explored {
    /// Goes through all orders of a world with these rules; how many there are.
    fn all(rules: &Rules) -> Result<(u128, Self), Broken> {
        let (mut explored, mut path) = (Self::default(), Vec::new());
        match explored.visit(&World::new(rules), rules, &mut path) {
            Ok(orders) => Ok((orders, explored)),
            Err(what) => Err(Broken { what, path }),
        }
    }

    fn visit(&mut self, world: &World, rules: &Rules, path: &mut Vec<Step>) -> Result<u128, String> {
        let key = world.key();
        if let Some(orders) = self.known.get(&key) {
            return Ok(*orders);
        }
        // Other steps change nothing that the rule looks at.
        if matches!(path.last(), None | Some(Step::Decide(_) | Step::Tick | Step::Use | Step::Crash)) {
            world.check(rules)?;
        }
        let steps = world.steps(rules);
        let mut orders = u128::from(steps.is_empty());
        for step in steps {
            path.push(step);
            let mut next = world.clone();
            let effect = next.happen(step, rules)?;
            self.effects.insert(effect);
            if matches!(effect, Effect::Lost | Effect::Died) {
                self.recovered += next.recover(rules)?;
            }
            orders += self.visit(&next, rules, path)?;
            path.pop();
        }
        self.known.insert(key, orders);
        Ok(orders)
    }

    fn had(&self, effects: &[Effect]) -> bool {
        effects.iter().all(|effect| self.effects.contains(effect))
    }
}

/// Explores the real rule, which no order may break.
fn explore(rules: Rules, at_least: u128) -> Explored {
    let (orders, explored) = Explored::all(&rules).unwrap();
    assert!(orders >= at_least, "{orders} orders through {} worlds are fewer than expected", explored.known.len());
    assert!(explored.had(&[Effect::Rotated, Effect::Retried, Effect::Conflicted]), "{:?}", explored.effects);
    explored
}

#[test]
fn no_order_makes_two_heads_or_refuses_a_sibling() {
    let explored = explore(REAL, 10_u128.pow(16));
    assert!(explored.had(&[Effect::Lost, Effect::Died]) && explored.recovered > 0);
    assert!(!explored.had(&[Effect::Revoked]), "no time passed, so nothing was too old");
}

#[test]
fn inside_the_interval_nobody_is_refused_whatever_is_lost() {
    let explored = explore(Rules { clock: &[INSIDE], ..REAL }, 10_u128.pow(17));
    assert!(explored.recovered > 0 && !explored.had(&[Effect::Revoked]));
}

#[test]
fn outside_the_interval_just_what_the_rule_allows_is_answered() {
    let explored = explore(Rules { clock: &[OUTSIDE], ..REAL }, 10_u128.pow(17));
    assert!(explored.recovered > 0, "a lost response is given again however late");
    assert!(explored.had(&[Effect::Revoked, Effect::Fenced]), "an old copy ends the login");
}

#[test]
fn tokens_seen_in_use_count_in_every_order() {
    for clock in [&[INSIDE, INSIDE], &[OUTSIDE, OUTSIDE]] {
        let explored = explore(Rules { requests: 2, uses: true, clock, ..REAL }, 10_u128.pow(15));
        assert!(explored.had(&[Effect::Revoked]) && explored.recovered > 0);
    }
}

#[test]
fn tabs_with_one_jar_are_never_refused_if_no_response_is_lost() {
    let honest = Rules { jar: Jar::Shared, faults: Faults::None, ..REAL };
    for rules in [
        Rules { clock: &[OUTSIDE], ..honest },
        Rules { clock: &[INSIDE, INSIDE], requests: 2, uses: true, ..honest },
        Rules { clock: &[OUTSIDE, OUTSIDE], requests: 2, uses: true, ..honest },
    ] {
        assert!(!explore(rules, 10_u128.pow(12)).had(&[Effect::Revoked]));
    }
}

#[test]
fn tabs_with_one_jar_are_never_refused_even_if_responses_are_lost() {
    let lossy = Rules { jar: Jar::Shared, ..REAL };
    for rules in
        [Rules { clock: &[OUTSIDE], ..lossy }, Rules { clock: &[OUTSIDE, INSIDE], requests: 2, uses: true, ..lossy }]
    {
        let explored = explore(rules, 10_u128.pow(12));
        assert!(explored.recovered > 0 && !explored.had(&[Effect::Revoked]));
    }
}

/// How the rules are broken by some order.
fn broken(rules: Rules) -> String {
    Explored::all(&rules).map(|(orders, _)| orders).expect_err("a mutant survived this many orders").what
}

#[test]
fn without_the_compare_and_swap_some_order_makes_two_heads() {
    let what = broken(Rules { store: Store::Overwrites, ..REAL });
    assert!(what.contains("was made twice") || what.contains("went back"), "{what}");
}

#[test]
fn what_was_seen_in_use_is_read_before_the_login() {
    let what = broken(Rules { seen: Seen::AfterTheLoad, uses: true, requests: 2, clock: &[OUTSIDE], ..REAL });
    assert!(what.contains("where the rule says"), "{what}");
}

#[test]
fn rules_that_are_a_little_wrong_are_noticed() {
    type Decide = fn(&TokenFamily, Generation, RefreshPolicy, UnixTime) -> Rotation;
    let mutants: [(&str, Decide); 4] = [
        ("a grace without end", |family, shown, _, now| {
            decide(family, shown, RefreshPolicy { reuse_interval: u64::MAX }, now)
        }),
        ("no grace for siblings", |family, shown, _, now| {
            decide(family, shown, RefreshPolicy { reuse_interval: 0 }, now)
        }),
        ("a grace that rotates", |family, shown, policy, now| match decide(family, shown, policy, now) {
            Rotation::Retry { head } => Rotation::Rotate { next: Generation(head.0 + 1) },
            rotation => rotation,
        }),
        ("a lost response only for a while", |family, shown, policy, now| {
            let used = TokenFamily { head_used: true, ..family.clone() };
            decide(&used, shown, policy, now)
        }),
    ];
    for (name, decide) in mutants {
        let what = broken(Rules { decide, clock: &[OUTSIDE], ..REAL });
        assert!(what.contains("where the rule says"), "{name}: {what}");
    }
}

#[test]
fn a_retry_that_starts_the_interval_never_or_always_is_noticed() {
    type Retried = fn(&TokenFamily, Generation, RefreshPolicy, UnixTime) -> Option<TokenFamily>;
    let mutants: [(&str, &'static [u64], Retried); 2] = [
        ("never", &[OUTSIDE], |_, _, _, _| None),
        ("by the sibling row too", &[INSIDE, INSIDE], |family, shown, policy, now| {
            Some(TokenFamily { recent: family.recent_and(shown, policy, now), ..family.clone() })
        }),
    ];
    for (name, clock, retried) in mutants {
        let what = broken(Rules { retried, clock, requests: 2, ..REAL });
        assert!(what.contains("where the rule says"), "{name}: {what}");
    }
}
