use serde::{Deserialize, Serialize};

/// How the tags and actions of an answer are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StructureTokens {
    /// Each of them as a single token, added to the vocabulary where it is not there yet.
    #[default]
    Added,
    /// As text like any other.
    Plain,
}

/// What becomes of a row that has more tokens than the maximal length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnOverflow {
    /// It is counted, and the caller should write no data set.
    #[default]
    Error,
    /// Its input is shortened at the end of a line, else of a word; the output stays whole.
    TruncateInput,
    /// It is left out.
    Drop,
}

/// Whether several examples share a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Packing {
    /// One example a row.
    #[default]
    None,
    /// As many as fit, best fit decreasing; `seq_lengths` says where one ends.
    Bfd,
}

/// Whether rows are filled up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Padding {
    /// Rows are as long as they are.
    #[default]
    None,
    /// Every row has the maximal length.
    MaxLength,
}

/// How rows are made of examples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowOptions {
    /// Most tokens a row.
    pub max_length: usize,
    /// What becomes of longer examples.
    pub on_overflow: OnOverflow,
    /// Whether examples share rows.
    pub packing: Packing,
    /// Whether rows are filled up.
    pub padding: Padding,
}
