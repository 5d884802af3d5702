/// The label of a token that is no target: cross-entropy leaves it out.
pub const IGNORED: i32 = -100;

/// What a model reads and what it should write after it, as token ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// The prompt; no target.
    pub prompt: Vec<u32>,
    /// The answer and its end token; every one is a target.
    pub target: Vec<u32>,
}

impl Example {
    /// Tokens in all.
    pub fn tokens(&self) -> usize {
        self.prompt.len() + self.target.len()
    }

    /// Prompt and target.
    pub fn input_ids(&self) -> impl Iterator<Item = u32> + '_ {
        self.prompt.iter().chain(&self.target).copied()
    }

    /// [`IGNORED`] over the prompt, then the target; as many as there are tokens.
    pub fn labels(&self) -> impl Iterator<Item = i32> + '_ {
        let ignored = std::iter::repeat_n(IGNORED, self.prompt.len());
        ignored.chain(self.target.iter().map(|id| *id as i32))
    }
}
