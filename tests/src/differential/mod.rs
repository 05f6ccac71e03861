//! Checks that answers without uv are never wrong: random monorepos, random changes, and after each a real `uv sync`.
//!
//! Several monorepos take turns, so that the file system's clock advances between two looks at one, as it usually
//! does in practice. A seed decides everything except the clock.

mod around;
mod changes;
mod files;
mod installed;
mod layout;
mod links;
mod packages;
mod places;
mod planted;
mod request;
mod settings;
mod snapshot;
mod tally;
mod world;

use std::{num::NonZero, thread};

use fastrand::Rng;

use self::{
    request::Request,
    world::{Answer, World},
};
use crate::seed;
pub use planted::notices_what_is_false;
pub use tally::Tally;

/// The number of steps per monorepo.
const STEPS_OF_ONE: usize = 60;

/// The default number of steps: half a minute on two cores.
const STEPS: usize = 600;

/// The default seed. It is fixed, so that a failure comes from a change to the code.
const SEED: u64 = 12_362_694_831_496_389_577;

/// A run of the test.
#[derive(Clone, Copy, Debug)]
pub struct Differential {
    /// The seed.
    pub seed: u64,
    /// The number of syncs.
    pub steps: usize,
}

impl Differential {
    /// Reads `UVENV_DIFFERENTIAL_SEED` and `UVENV_DIFFERENTIAL_STEPS`. The seed `random` differs each time.
    pub fn from_variables() -> Self {
        let (seed, steps) = seed::from_variables("UVENV_DIFFERENTIAL", SEED, STEPS);
        Self { seed, steps }
    }

    /// Runs it.
    pub fn run(&self) -> Tally {
        let threads = thread::available_parallelism().map_or(1, NonZero::get);
        let worlds = self.steps.div_ceil(STEPS_OF_ONE);
        places::copies();
        let shares: Vec<_> = thread::scope(|scope| {
            let share = |thread: usize| (thread..worlds).step_by(threads).collect::<Vec<_>>();
            let running: Vec<_> = (0..threads).map(|thread| scope.spawn(move || self.share(&share(thread)))).collect();
            running
                .into_iter()
                .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                .collect()
        });
        let mut tally = Tally::default();
        for share in shares {
            tally.merge(share);
        }
        let strays = places::strays();
        if !strays.is_empty() {
            tally.is_wrong(format!("the base interpreters were changed: {strays:?}"));
        }
        tally
    }

    /// Lets the monorepos with these numbers take turns.
    fn share(&self, numbers: &[usize]) -> Tally {
        let mut tally = Tally::default();
        let mut players: Vec<_> = numbers.iter().map(|number| Player::new(self.seed, *number)).collect();
        while players.iter().any(|player| player.left > 0) {
            for player in players.iter_mut().filter(|player| player.left > 0) {
                if let Err(wrong) = player.turn(&mut tally) {
                    player.left = 0;
                    tally.is_wrong(player.report(self, &wrong));
                }
            }
        }
        tally
    }
}

/// A monorepo that takes turns with others.
struct Player {
    number: usize,
    world: World,
    /// The last request.
    asked: Option<Request>,
    /// The number of remaining syncs.
    left: usize,
    /// The number of consecutive failed syncs.
    failures: usize,
    /// The last change.
    change: &'static str,
}

impl Player {
    fn new(seed: u64, number: usize) -> Self {
        let mut rng = Rng::with_seed(seed);
        let seed = (0..=number).map(|_| rng.u64(..)).last().unwrap_or_default();
        Self { number, world: World::new(seed), asked: None, left: STEPS_OF_ONE, failures: 0, change: "the beginning" }
    }

    /// A change, and a sync or two.
    fn turn(&mut self, tally: &mut Tally) -> Result<(), String> {
        if self.failures > 0 && (self.failures > 2 || self.world.rng.u8(..3) > 0) {
            self.mend(tally);
        } else if self.world.changed() > self.world.rng.usize(..5) {
            // Otherwise, a request that fails once would fail forever.
            let undone = self.world.undo_one();
            if self.world.rng.bool() {
                self.world.request.variables.clear();
                self.world.request.read_only = None;
            }
            self.world.history.extend(undone);
            self.change = "a change is undone";
        } else {
            let (kind, done) = changes::change(&mut self.world);
            self.world.history.push(done);
            self.change = kind;
        }
        for _ in 0..self.world.rng.usize(1..=3) {
            self.step(tally)?;
        }
        Ok(())
    }

    fn step(&mut self, tally: &mut Tally) -> Result<(), String> {
        let answer = self.world.sync();
        self.left = self.left.saturating_sub(1);
        let request = &self.world.request;
        let asked = if self.asked.as_ref() == Some(request) { "the same".to_owned() } else { format!("{request:?}") };
        self.asked = Some(request.clone());
        self.world.history.push(format!("    sync {asked}: {answer:?}"));
        self.failures = if matches!(answer, Answer::Failed) { self.failures + 1 } else { 0 };
        if let Answer::False(wrong) = answer {
            return Err(wrong);
        }
        tally.add(self.change, answer);
        Ok(())
    }

    /// Undoes changes that may have made syncs fail.
    fn mend(&mut self, tally: &mut Tally) {
        self.change = "all is undone";
        if self.failures > 4 {
            self.world.begin_anew();
            tally.begins_anew();
            self.world.history.push("all is undone, and the environment removed".to_owned());
        } else {
            self.world.undo();
            self.world.history.push("all is undone".to_owned());
        }
    }

    fn report(&self, run: &Differential, wrong: &str) -> String {
        let Differential { seed, steps } = run;
        format!(
            "uvenv has not asked uv, and should have, in monorepo {} of UVENV_DIFFERENTIAL_SEED={seed} \
             UVENV_DIFFERENTIAL_STEPS={steps}\n{}\n{wrong}",
            self.number,
            self.world.history.join("\n"),
        )
    }
}
