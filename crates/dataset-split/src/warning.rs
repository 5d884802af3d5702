use std::fmt;

use serde::{Serialize, Serializer};
use thesis_core::Action;

use crate::{DateRange, Split};

/// What a person should know about a split before using it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// No record lies in the split's range, or all of them are under embargo.
    EmptySplit {
        /// The split.
        split: Split,
        /// Its days.
        range: DateRange,
        /// Records dropped from it by the embargo.
        embargoed: u64,
    },
    /// Classes without a record in the split.
    MissingClasses {
        /// The split.
        split: Split,
        /// The classes.
        actions: Vec<Action>,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptySplit { split, range, embargoed: 0 } => {
                write!(f, "split `{split}` is empty: no record is dated {range}")
            }
            Self::EmptySplit { split, range, embargoed } => {
                write!(
                    f,
                    "split `{split}` is empty: the embargo drops every record dated {range} \
                     ({embargoed})"
                )
            }
            Self::MissingClasses { split, actions } => {
                let names: Vec<_> = actions.iter().map(|action| action.as_str()).collect();
                let can = match split {
                    Split::Train => "learnt",
                    Split::Validation | Split::Test => "measured",
                };
                write!(
                    f,
                    "split `{split}` has no record of {}: nothing about it can be {can} there",
                    names.join(", ")
                )
            }
        }
    }
}

impl Serialize for Warning {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
