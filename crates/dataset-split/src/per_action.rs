use std::ops::{Index, IndexMut};

use serde::{Serialize, Serializer};
use thesis_core::Action;

/// Something for each class, in the order of [`Action::ALL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PerAction<T>(pub [T; Action::ALL.len()]);

impl<T> PerAction<T> {
    /// The classes with what is theirs.
    pub fn iter(&self) -> impl Iterator<Item = (Action, &T)> {
        Action::ALL.into_iter().zip(&self.0)
    }
}

impl<T> Index<Action> for PerAction<T> {
    type Output = T;

    fn index(&self, action: Action) -> &T {
        &self.0[action.index()]
    }
}

impl<T> IndexMut<Action> for PerAction<T> {
    fn index_mut(&mut self, action: Action) -> &mut T {
        &mut self.0[action.index()]
    }
}

impl<T: Serialize> Serialize for PerAction<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}
