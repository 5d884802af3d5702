use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_pcg::Pcg64;
use thesis_core::Action;

use crate::Calls;

/// The same calls, dealt anew among the places where there is one: as many of each class, at random.
///
/// A seed gives the same calls wherever it is drawn.
pub fn random_calls(calls: &Calls, seed: u64) -> Calls {
    let mut random = calls.clone();
    let mut named: Vec<Action> = calls.actions().iter().flatten().copied().collect();
    named.shuffle(&mut Pcg64::seed_from_u64(seed));
    let places = random.actions_mut().iter_mut().flatten();
    for (place, action) in places.zip(named) {
        *place = action;
    }
    random
}
