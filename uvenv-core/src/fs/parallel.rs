//! Distributes work to all cores.

#[cfg(feature = "vendored")]
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{num::NonZero, panic::resume_unwind, sync::OnceLock, thread};

/// Cached, because determining the number of cores reads files.
static CORES: OnceLock<usize> = OnceLock::new();

/// Returns the number of threads that can run at once.
pub(crate) fn cores() -> usize {
    *CORES.get_or_init(|| thread::available_parallelism().map_or(1, NonZero::get))
}

/// Returns the results of `work` for each part of `items`, in order. Up to `min_len` items form one part, because more
/// threads would cost more than they save.
pub(crate) fn par_chunks<T: Send, R: Send>(
    items: &mut [T],
    min_len: usize,
    work: impl Fn(&mut [T]) -> R + Sync,
) -> Vec<R> {
    let most = items.len().div_ceil(min_len.max(1));
    let threads = if most < 2 { 1 } else { cores().min(most) };
    if threads == 1 {
        return vec![work(items)];
    }
    let size = items.len().div_ceil(threads);
    thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = items.chunks_mut(size).map(|part| scope.spawn(move || work(part))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    })
}

/// Returns the results of `work` for each item, in any order. The cores take the items in turn, because some need far more
/// time than others. Each core has a `state` of its own.
#[cfg(feature = "vendored")]
pub(crate) fn par_queue<T: Sync, R: Send, S>(
    items: &[T],
    state: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, &T) -> R + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let take = || {
        let mut state = state();
        let turns = std::iter::repeat_with(|| items.get(next.fetch_add(1, Ordering::Relaxed)));
        turns.map_while(|item| item.map(|item| work(&mut state, item))).collect::<Vec<_>>()
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..cores().min(items.len())).map(|_| scope.spawn(take)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_all_items_in_order() {
        for count in [0, 1, 2, 3, 7, 64, 1001] {
            let mut items: Vec<usize> = (0..count).collect();
            let parts = par_chunks(&mut items, 2, |part| {
                for item in part.iter_mut() {
                    *item += 1;
                }
                part.to_vec()
            });
            assert_eq!(parts.concat(), (1..=count).collect::<Vec<_>>());
            assert_eq!(items, (1..=count).collect::<Vec<_>>());
        }
    }

    #[cfg(feature = "vendored")]
    #[test]
    fn takes_all_items_in_turn() {
        for count in [0, 1, 2, 1001] {
            let items: Vec<usize> = (0..count).collect();
            let mut doubled = par_queue(&items, || 2, |factor, item| *factor * item);
            doubled.sort_unstable();
            assert_eq!(doubled, items.iter().map(|item| 2 * item).collect::<Vec<_>>());
        }
    }
}
