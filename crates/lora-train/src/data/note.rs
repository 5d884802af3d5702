use std::fmt;

/// Something about token rows that a person should know before training.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DataNote {
    /// Words in column `action` that are no actions; those examples have none.
    UnknownActions {
        /// How many.
        examples: u64,
        /// The first such word.
        first: String,
    },
    /// Columns that nothing reads.
    UnusedColumns {
        /// Their names.
        columns: Vec<String>,
    },
    /// Examples in rows of several examples that have no targets, while others in their row do.
    ExamplesWithoutTargets {
        /// How many.
        examples: u64,
        /// The first of them.
        first: String,
    },
}

impl DataNote {
    /// Whether training goes on but may not do what was meant.
    pub const fn is_warning(&self) -> bool {
        !matches!(self, Self::UnusedColumns { .. })
    }
}

impl fmt::Display for DataNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownActions { examples, first } => {
                write!(
                    f,
                    "{examples} examples have a word as their action that is none, such as {first:?}"
                )
            }
            Self::UnusedColumns { columns } => {
                write!(f, "not used: columns {}", columns.join(", "))
            }
            Self::ExamplesWithoutTargets { examples, first } => {
                write!(f, "{examples} examples of packed rows have no targets, such as {first}")
            }
        }
    }
}
