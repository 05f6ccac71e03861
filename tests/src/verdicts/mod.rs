//! Checks that uvenv's word on lockfiles is always uv's: random manifests, changed at random, and after each change
//! `uv lock --check` beside `lock --locked`, `check`, `status` and `sync --frozen`.

mod changes;
mod compare;
mod manifest;
mod world;

use std::{collections::BTreeMap, fmt, num::NonZero, thread};

use fastrand::Rng;

use self::{
    compare::{Verdict, compare},
    world::World,
};
use crate::seed;

/// The number of changes to one monorepo.
const CHANGES_OF_ONE: usize = 25;

/// The default number of changes.
const STEPS: usize = 200;

/// The default seed. It is fixed, so that a failure comes from a change to the code.
const SEED: u64 = 8_042_127_914_530_977_021;

/// A run of the test.
#[derive(Clone, Copy, Debug)]
pub struct Verdicts {
    /// The seed.
    pub seed: u64,
    /// The number of changes.
    pub steps: usize,
}

/// The results of a run.
#[derive(Debug, Default)]
pub struct Tally {
    /// How often uv gave each verdict, and how often uvenv could not tell.
    verdicts: BTreeMap<Verdict, usize>,
    unknown: usize,
    steps: usize,
    /// The disagreements, with what was changed.
    pub wrong: Vec<String>,
}

impl Verdicts {
    /// Reads `UVENV_VERDICTS_SEED` (`random` differs each time) and `UVENV_VERDICTS_STEPS`.
    pub fn from_variables() -> Self {
        let (seed, steps) = seed::from_variables("UVENV_VERDICTS", SEED, STEPS);
        Self { seed, steps }
    }

    /// Runs it.
    pub fn run(&self) -> Tally {
        let threads = thread::available_parallelism().map_or(1, NonZero::get);
        let worlds = self.steps.div_ceil(CHANGES_OF_ONE);
        thread::scope(|scope| {
            let share = |thread: usize| {
                let mut tally = Tally::default();
                (thread..worlds).step_by(threads).for_each(|number| self.one(number, &mut tally));
                tally
            };
            let running: Vec<_> = (0..threads).map(|thread| scope.spawn(move || share(thread))).collect();
            let mut tally = Tally::default();
            for thread in running {
                tally.merge(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            }
            tally
        })
    }

    /// Changes one monorepo many times.
    fn one(&self, number: usize, tally: &mut Tally) {
        let seed = Rng::with_seed(self.seed.wrapping_add(number as u64)).u64(..);
        let mut world = World::new(Rng::with_seed(seed));
        for _ in 0..CHANGES_OF_ONE {
            let change = world.change();
            let compared = compare(&world);
            tally.steps += 1;
            tally.unknown += usize::from(compared.is_unknown);
            *tally.verdicts.entry(compared.verdict).or_default() += 1;
            for wrong in compared.wrong {
                let Self { seed, steps } = self;
                tally.wrong.push(format!(
                    "monorepo {number} of UVENV_VERDICTS_SEED={seed} UVENV_VERDICTS_STEPS={steps}, after {change}: \
                     {wrong}\n{}",
                    world.files(),
                ));
            }
            world.settle(compared.verdict);
        }
    }
}

impl Tally {
    fn merge(&mut self, other: Self) {
        self.unknown += other.unknown;
        self.steps += other.steps;
        self.wrong.extend(other.wrong);
        for (verdict, count) in other.verdicts {
            *self.verdicts.entry(verdict).or_default() += count;
        }
    }

    /// Whether each verdict occurred, and few are unknown: otherwise the test shows little.
    pub fn is_telling(&self) -> bool {
        self.verdicts.len() == 3 && self.unknown * 10 <= self.steps
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { verdicts, unknown, steps, wrong } = self;
        writeln!(f, "{steps} changes: uv says {verdicts:?}; {unknown} unknown to uvenv; {} disagreements", wrong.len())
    }
}
