//! Contestants of one task, measured in turns.

use std::time::{Duration, Instant};

use crate::{Options, Report, allocations, report::Line};

/// How long one batch should take, in nanoseconds: long against the clock's cost, short against a change of speed.
const BATCH_NANOS: u128 = 2_000_000;

/// One way to do the task.
pub struct Contestant<'a> {
    name: &'static str,
    work: Work<'a>,
}

enum Work<'a> {
    /// Done as often as fills a batch, and timed from here.
    Whole(Box<dyn FnMut() + 'a>),
    /// Done once per turn; it says itself how long the part that counts took.
    Timed(Box<dyn FnMut() -> Duration + 'a>),
}

impl<'a> Contestant<'a> {
    /// A contestant that does the task once per call of `work`, which has to check its own result.
    pub fn new(name: &'static str, work: impl FnMut() + 'a) -> Self {
        Self { name, work: Work::Whole(Box::new(work)) }
    }

    /// A contestant for a task of milliseconds that has to be prepared and cleared up: `work` does all of it once, checks
    /// its own result, and returns how long the task took.
    pub fn timed(name: &'static str, work: impl FnMut() -> Duration + 'a) -> Self {
        Self { name, work: Work::Timed(Box::new(work)) }
    }

    fn batch_nanos(&mut self, calls: u32) -> u128 {
        match &mut self.work {
            Work::Whole(work) => {
                let start = Instant::now();
                for _ in 0..calls {
                    work();
                }
                start.elapsed().as_nanos()
            }
            Work::Timed(work) => (0..calls).map(|_| work().as_nanos()).sum(),
        }
    }

    /// The number of calls that fill a batch, found by doubling; the calls warm caches up as well.
    fn calibrate(&mut self) -> u32 {
        let mut calls = 1;
        if let Work::Timed(_) = self.work {
            return calls;
        }
        while self.batch_nanos(calls) < BATCH_NANOS && calls < 1 << 20 {
            calls *= 2;
        }
        calls
    }
}

/// A task and those who do it; the first one is what the others are compared with.
pub struct Group<'a> {
    name: &'static str,
    contestants: Vec<Contestant<'a>>,
}

impl<'a> Group<'a> {
    /// The task `name`, with its first contestant as baseline.
    pub fn new(name: &'static str, contestants: Vec<Contestant<'a>>) -> Self {
        Self { name, contestants }
    }

    /// Measures all of them and adds a line for each to the report.
    pub fn measure(mut self, options: &Options, report: &mut Report) {
        let timed = self.contestants.iter().any(|one| matches!(one.work, Work::Timed(_)));
        let turns = match (options.smoke, timed) {
            (true, _) => 1,
            (false, true) => 21,
            (false, false) => 101,
        };
        let smoke = options.smoke;
        let calls: Vec<u32> = self.contestants.iter_mut().map(|one| if smoke { 1 } else { one.calibrate() }).collect();
        let mut nanos = vec![Vec::with_capacity(turns); self.contestants.len()];
        for _ in 0..turns {
            for ((contestant, calls), nanos) in self.contestants.iter_mut().zip(&calls).zip(&mut nanos) {
                nanos.push(contestant.batch_nanos(*calls) as f64 / f64::from(*calls));
            }
        }
        for (contestant, own) in self.contestants.iter_mut().zip(&nanos) {
            let ratios = own.iter().zip(&nanos[0]).map(|(own, baseline)| own / baseline).collect();
            report.push(Line {
                group: self.name,
                contestant: contestant.name,
                nanos: median(own.clone()),
                ratio: median(ratios),
                allocations: match &mut contestant.work {
                    Work::Whole(work) => Some(allocations::during(work)),
                    Work::Timed(_) => None,
                },
                turns,
            });
        }
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
