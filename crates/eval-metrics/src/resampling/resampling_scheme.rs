use serde::{Deserialize, Serialize};

use crate::MetricError;
use crate::resampling::replicate_rng::ReplicateRng;
use crate::returns::checks::check_parameter;

/// How a replicate is drawn from the values.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resampling {
    /// Each value on its own, for values that do not depend on each other. Source: Efron (1979).
    #[default]
    Iid,
    /// Blocks of random, geometrically distributed length, which wrap around at the end. Source:
    /// Politis and Romano (1994).
    Stationary {
        /// The mean length of a block, from 1; see
        /// [`optimal_block_length`](crate::resampling::optimal_block_length()).
        mean_block: f64,
    },
    /// Blocks of one length, which wrap around at the end. Source: Politis and Romano (1992).
    Circular {
        /// The length of a block, from 1 to the number of values.
        block: usize,
    },
}

impl Resampling {
    /// Refuses a block length that makes no blocks of `count` values.
    pub(crate) fn check(&self, count: usize) -> Result<(), MetricError> {
        match *self {
            Self::Iid => Ok(()),
            Self::Stationary { mean_block } => {
                let is_valid = mean_block.is_finite() && mean_block >= 1.0;
                check_parameter("the mean block length", mean_block, "1 and above", is_valid)
            }
            Self::Circular { block } => {
                let range = "1 to the number of values";
                let is_valid = (1..=count).contains(&block);
                check_parameter("the block length", block as f64, range, is_valid)
            }
        }
    }

    /// Fills `indices` with the indices below its length that a replicate consists of.
    pub(crate) fn draw(&self, rng: &mut ReplicateRng, indices: &mut [usize]) {
        let count = indices.len();
        let following = |index: usize| if index + 1 == count { 0 } else { index + 1 };
        match *self {
            Self::Iid => indices.fill_with(|| rng.index(count)),
            Self::Stationary { mean_block } => {
                let begins = 1.0 / mean_block;
                let mut last = None;
                indices.fill_with(|| {
                    let index = match last {
                        Some(last) if rng.fraction() >= begins => following(last),
                        _ => rng.index(count),
                    };
                    last = Some(index);
                    index
                });
            }
            Self::Circular { block } => {
                for block in indices.chunks_mut(block) {
                    let mut index = rng.index(count);
                    for slot in block {
                        *slot = index;
                        index = following(index);
                    }
                }
            }
        }
    }
}
