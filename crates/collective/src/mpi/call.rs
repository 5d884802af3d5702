//! What a rank tells the others when it comes to an operation.

use std::fmt;

/// An operation, as the caller gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) kind: Kind,
    /// Rank that a broadcast comes from, else 0.
    pub(super) root: u64,
    /// Number of values or bytes; of a broadcast, the root's.
    pub(super) length: u64,
    pub(super) flag: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Sum,
    SumF64,
    Broadcast,
    Any,
    Barrier,
    Other(u64),
}

impl Call {
    pub(super) fn new(kind: Kind) -> Self {
        Self { kind, root: 0, length: 0, flag: false }
    }

    pub(super) fn encode(self) -> Vec<u64> {
        vec![self.kind.code(), self.root, self.length, u64::from(self.flag)]
    }

    /// As many numbers as `encode` makes.
    pub(super) const ENCODED: usize = 4;

    pub(super) fn decode(numbers: &[u64]) -> Self {
        let number = |index: usize| numbers.get(index).copied().unwrap_or(0);
        Self { kind: Kind::of(number(0)), root: number(1), length: number(2), flag: number(3) != 0 }
    }

    /// Whether two ranks want the same.
    pub(super) fn agrees_with(&self, other: &Self) -> bool {
        let sums = matches!(self.kind, Kind::Sum | Kind::SumF64);
        self.kind == other.kind && self.root == other.root && (!sums || self.length == other.length)
    }
}

impl Kind {
    fn code(self) -> u64 {
        match self {
            Self::Sum => 1,
            Self::SumF64 => 2,
            Self::Broadcast => 3,
            Self::Any => 4,
            Self::Barrier => 5,
            Self::Other(code) => code,
        }
    }

    fn of(code: u64) -> Self {
        [Self::Sum, Self::SumF64, Self::Broadcast, Self::Any, Self::Barrier]
            .into_iter()
            .find(|kind| kind.code() == code)
            .unwrap_or(Self::Other(code))
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sum => "sum of f32 values",
            Self::SumF64 => "sum of f64 values",
            Self::Broadcast => "broadcast",
            Self::Any => "any",
            Self::Barrier => "barrier",
            Self::Other(_) => "an operation of another version",
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::Sum => write!(f, "a sum of {} f32 values", self.length),
            Kind::SumF64 => write!(f, "a sum of {} f64 values", self.length),
            Kind::Broadcast => write!(f, "a broadcast from rank {}", self.root),
            Kind::Any | Kind::Barrier | Kind::Other(_) => f.write_str(self.kind.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [Kind; 6] =
        [Kind::Sum, Kind::SumF64, Kind::Broadcast, Kind::Any, Kind::Barrier, Kind::Other(77)];

    #[test]
    fn what_is_told_is_understood() {
        for kind in KINDS {
            let call = Call { kind, root: 3, length: 1 << 40, flag: true };
            let told = call.encode();
            assert_eq!((told.len(), Call::decode(&told)), (Call::ENCODED, call));
        }
    }

    fn check(ours: Call, theirs: Call, agree: bool) {
        assert_eq!(ours.agrees_with(&theirs), agree, "{ours:?} {theirs:?}");
        assert_eq!(theirs.agrees_with(&ours), agree, "{theirs:?} {ours:?}");
    }

    #[test]
    fn who_wants_the_same() {
        let call = Call::new;
        for (index, kind) in KINDS.into_iter().enumerate() {
            for (other, with) in KINDS.into_iter().enumerate() {
                check(call(kind), call(with), index == other);
            }
        }
        check(call(Kind::Sum), Call { length: 1, ..call(Kind::Sum) }, false);
        check(call(Kind::SumF64), Call { length: 1, ..call(Kind::SumF64) }, false);
        check(call(Kind::Broadcast), Call { length: 1, ..call(Kind::Broadcast) }, true);
        check(call(Kind::Broadcast), Call { root: 1, ..call(Kind::Broadcast) }, false);
        check(call(Kind::Any), Call { flag: true, ..call(Kind::Any) }, true);
    }
}
