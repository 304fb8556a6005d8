//! Contestants of one task, measured in turns.

use std::time::Instant;

use crate::{Options, Report, allocations, report::Line};

/// How long one batch should take, in nanoseconds: long against the clock's cost, short against a change of speed.
const BATCH_NANOS: u128 = 2_000_000;

/// One way to do the task.
pub struct Contestant<'a> {
    name: &'static str,
    work: Box<dyn FnMut() + 'a>,
}

impl<'a> Contestant<'a> {
    /// A contestant that does the task once per call of `work`, which has to check its own result.
    pub fn new(name: &'static str, work: impl FnMut() + 'a) -> Self {
        Self { name, work: Box::new(work) }
    }

    fn batch_nanos(&mut self, calls: u32) -> u128 {
        let start = Instant::now();
        for _ in 0..calls {
            (self.work)();
        }
        start.elapsed().as_nanos()
    }

    /// The number of calls that fill a batch, found by doubling; the calls warm caches up as well.
    fn calibrate(&mut self) -> u32 {
        let mut calls = 1;
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
        let turns = if options.smoke { 1 } else { 101 };
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
                allocations: allocations::during(|| (contestant.work)()),
                turns,
            });
        }
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
