use std::error::Error;

/// What can go wrong with grammars and tokens.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GrammarError {
    /// A vocabulary that cannot be used.
    #[error("the vocabulary has {tokens} tokens; between 1 and {most} can be used")]
    VocabularySize {
        /// How many tokens it has.
        tokens: usize,
        /// How many it may have.
        most: usize,
    },
    /// No token ends a text.
    #[error("no id is given at which generation ends")]
    NoEnd,
    /// An id that the vocabulary does not have.
    #[error("the {role} token has the id {id}, but the vocabulary has {tokens} tokens")]
    UnknownId {
        /// What it should be: `end`, or the name of a special token.
        role: String,
        /// The id.
        id: u32,
        /// How many tokens there are.
        tokens: usize,
    },
    /// A grammar that does not compile; for a schema with keywords that are not supported, the
    /// cause names them.
    #[error("the {kind} cannot be used as a grammar")]
    Compile {
        /// `Lark grammar`, `regular expression`, `JSON schema` or `thesis grammar`.
        kind: &'static str,
        /// Why not.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// A grammar for which no text was found that ends.
    #[error("no end of the {kind} was found within {tokens} tokens")]
    Endless {
        /// The kind of grammar.
        kind: &'static str,
        /// How far the search went.
        tokens: usize,
    },
    /// A budget that holds no whole text.
    #[error("a budget of {budget} tokens is too small: the shortest end needs {needed}")]
    Budget {
        /// The tokens that may still come.
        budget: usize,
        /// The tokens that are needed.
        needed: usize,
    },
    /// A token that the mask does not allow.
    #[error("the token {id} is not allowed here")]
    NotAllowed {
        /// The token.
        id: u32,
    },
    /// A token after the end.
    #[error("the token {id} comes after the end of the text")]
    AfterEnd {
        /// The token.
        id: u32,
    },
    /// The state of the grammar grew beyond its limits.
    #[error("the grammar cannot go on after {tokens} tokens")]
    Failed {
        /// The tokens so far.
        tokens: usize,
        /// Why not.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// A text that is no JSON.
    #[error("the text is no JSON")]
    Json {
        /// Why not.
        #[source]
        source: serde_json::Error,
    },
    /// A text that breaks its grammar.
    #[error("the text breaks the {kind} at byte {at}")]
    Text {
        /// The kind of grammar.
        kind: &'static str,
        /// The first byte that may not stand there; the length of the text where it ends too early.
        at: usize,
    },
}
