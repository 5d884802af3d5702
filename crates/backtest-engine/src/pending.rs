use std::collections::BTreeMap;

use crate::Cause;

/// Targets that wait for a session on which they can be filled, by security.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pending {
    targets: BTreeMap<u32, Target>,
}

/// What a security's weight shall become.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Target {
    pub(crate) weight: f64,
    pub(crate) cause: Cause,
}

impl Target {
    /// The end of a position, which is tried until it is done.
    pub(crate) const fn exit(cause: Cause) -> Self {
        Self { weight: 0.0, cause }
    }
}

impl Pending {
    pub(crate) fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }

    pub(crate) fn insert(&mut self, asset: usize, target: Target) {
        self.targets.insert(asset as u32, target);
    }

    pub(crate) fn get(&self, asset: usize) -> Option<Target> {
        self.targets.get(&(asset as u32)).copied()
    }

    pub(crate) fn remove(&mut self, asset: usize) {
        self.targets.remove(&(asset as u32));
    }

    pub(crate) fn clear(&mut self) {
        self.targets.clear();
    }

    /// All that wait, by place in the universe.
    pub(crate) fn all(&self) -> Vec<(usize, Target)> {
        self.targets.iter().map(|(asset, target)| (*asset as usize, *target)).collect()
    }

    /// Forgets what a margin call asked for: the next close asks anew.
    pub(crate) fn forget_margin_call(&mut self) {
        self.targets.retain(|_, target| target.cause != Cause::MarginCall);
    }
}
