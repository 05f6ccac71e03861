//! The results of the steps.

use std::{collections::BTreeMap, fmt};

use super::world::Answer;

/// Counts of answers.
#[derive(Debug, Default)]
pub struct Tally {
    steps: usize,
    quick: usize,
    worked: usize,
    failed: usize,
    begun_anew: usize,
    /// Counts by the change before and the reason for calling uv.
    needless: BTreeMap<(&'static str, String), usize>,
    wrong: Vec<String>,
}

impl Tally {
    pub(super) fn add(&mut self, change: &'static str, answer: Answer) {
        self.steps += 1;
        match answer {
            Answer::Quick => self.quick += 1,
            Answer::Needless(reason) => *self.needless.entry((change, reason)).or_default() += 1,
            Answer::Worked => self.worked += 1,
            Answer::Failed | Answer::False(_) => self.failed += 1,
        }
    }

    pub(super) fn begins_anew(&mut self) {
        self.begun_anew += 1;
    }

    pub(super) fn is_wrong(&mut self, report: String) {
        self.wrong.push(report);
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.steps += other.steps;
        self.quick += other.quick;
        self.worked += other.worked;
        self.failed += other.failed;
        self.begun_anew += other.begun_anew;
        self.wrong.extend(other.wrong);
        for (key, count) in other.needless {
            *self.needless.entry(key).or_default() += count;
        }
    }

    /// The number of correct answers without uv.
    pub fn quick(&self) -> usize {
        self.quick
    }

    /// The wrong answers, each with its history.
    pub fn wrong(&self) -> &[String] {
        &self.wrong
    }

    /// How often uvenv called uv and uv changed nothing.
    fn needless(&self) -> usize {
        self.needless.values().sum()
    }

    /// How many of these calls only uv could answer.
    fn refused(&self) -> usize {
        let refused = self.needless.iter().filter(|((_, reason), _)| reason.contains("not recorded"));
        refused.map(|(_, count)| count).sum()
    }

    /// The percentage of needless calls, among the cases where there was nothing to do and uvenv could have known.
    pub fn needless_percent(&self) -> usize {
        let needless = self.needless() - self.refused();
        100 * needless / (self.quick + needless).max(1)
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { steps, quick, worked, failed, begun_anew, .. } = self;
        let needless = self.needless();
        let refused = self.refused();
        let idle = (quick + needless).max(1);
        writeln!(
            f,
            "{steps} steps: {quick} quick answers, {worked} syncs that changed something, {failed} that failed"
        )?;
        writeln!(
            f,
            "{needless} needless calls of uv, {} % of {idle} with nothing to do; {refused} of them where only uv can tell \
             ({begun_anew} environments made anew)",
            100 * needless / idle,
        )?;
        let mut most: Vec<_> = self.needless.iter().collect();
        most.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        for ((change, reason), count) in most.iter().take(25) {
            writeln!(f, "{count:6}  after {change}: {reason}")?;
        }
        Ok(())
    }
}
