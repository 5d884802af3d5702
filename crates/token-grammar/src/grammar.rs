use std::fmt;
use std::sync::{Arc, OnceLock};

use llguidance::api::TopLevelGrammar;
use serde_json::Value;
use thesis_core::StructureTag;

use crate::closing::{Effort, closing};
use crate::parser_state::ParserState;
use crate::text_check::{TextCheck, text_check};
use crate::thesis::thesis_lark;
use crate::{GrammarError, Matcher, Vocabulary};

/// How far the first search for an end goes; it is done once for a grammar.
const FIRST: Effort = Effort { longest: 4096, states: 20_000, extra: 300 };

/// What a text must look like, over the tokens of a vocabulary; made once, cheap to clone.
#[derive(Clone)]
pub struct Grammar {
    inner: Arc<Inner>,
}

struct Inner {
    kind: &'static str,
    vocabulary: Vocabulary,
    parser: ParserState,
    shortest: Vec<u32>,
    growth: Option<usize>,
    /// The grammar over single bytes, to check texts.
    on_text: Option<TopLevelGrammar>,
    check: OnceLock<Result<TextCheck, String>>,
}

impl Grammar {
    /// The grammar of a completion: reasoning, support and one of five actions between their tags, as
    /// [`thesis_core::Completion`] reads it.
    ///
    /// Tags and actions that the vocabulary has as special tokens are these tokens and nothing else;
    /// the others are text. The texts have no `<` and are not blank.
    ///
    /// # Errors
    /// [`GrammarError::Compile`] and [`GrammarError::Endless`]; a vocabulary with too few tokens to
    /// write the tags is the only cause.
    pub fn thesis(vocabulary: &Vocabulary) -> Result<Self, GrammarError> {
        let over = |vocabulary| TopLevelGrammar::from_lark(thesis_lark(vocabulary));
        let (ours, on_text) = (over(Some(vocabulary)), Some(over(None)));
        let grammar = Self::new("thesis grammar", vocabulary, ours, on_text)?;
        let special = StructureTag::tokens().all(|name| vocabulary.special_token(name).is_some());
        Ok(grammar.with_growth(if special { SPECIAL_GROWTH } else { PLAIN_GROWTH }))
    }

    /// The grammar of the JSON values of a schema, without white space but for a space after `,`
    /// and `:`. An `x-guidance` object in the schema sets other options of llguidance.
    ///
    /// Not all that a schema can say is followed to the letter (llguidance's documentation tells
    /// what is), so check what comes out with [`Grammar::validates`] or a validator of your own.
    ///
    /// # Errors
    /// [`GrammarError::Compile`] for a schema with keywords that are not supported, or that no value
    /// satisfies.
    pub fn json_schema(vocabulary: &Vocabulary, schema: &Value) -> Result<Self, GrammarError> {
        let mut schema = schema.clone();
        if let Value::Object(keys) = &mut schema {
            keys.entry("x-guidance").or_insert_with(|| {
                serde_json::json!({
                    "whitespace_flexible": false, "item_separator": ", ", "key_separator": ": ",
                })
            });
        }
        let grammar = TopLevelGrammar::from_json_schema(schema);
        Self::new(JSON_SCHEMA, vocabulary, grammar.clone(), Some(grammar))
    }

    /// A grammar in llguidance's variant of Lark; `<name>` and `<[7]>` are special tokens and ids.
    ///
    /// # Errors
    /// [`GrammarError::Compile`] where it is none, [`GrammarError::Endless`] where no end is found.
    pub fn lark(vocabulary: &Vocabulary, text: &str) -> Result<Self, GrammarError> {
        let grammar = TopLevelGrammar::from_lark(text.to_owned());
        let on_text = (!names_ids(text)).then(|| grammar.clone());
        Self::new("Lark grammar", vocabulary, grammar, on_text)
    }

    /// The texts that a regular expression matches as a whole, in the syntax of the `regex` crate,
    /// without lazy quantifiers and word boundaries.
    ///
    /// # Errors
    /// As [`Grammar::lark`].
    pub fn regex(vocabulary: &Vocabulary, expression: &str) -> Result<Self, GrammarError> {
        let grammar = TopLevelGrammar::from_regex(expression);
        Self::new("regular expression", vocabulary, grammar.clone(), Some(grammar))
    }

    /// Begins a text of at most `budget` tokens, the token that ends generation not counted.
    ///
    /// # Errors
    /// [`GrammarError::Budget`] for fewer than [`Grammar::shortest`] tokens.
    pub fn matcher(&self, budget: usize) -> Result<Matcher, GrammarError> {
        let needed = self.shortest();
        if budget < needed {
            return Err(GrammarError::Budget { budget, needed });
        }
        Ok(Matcher::new(self.clone(), budget))
    }

    /// The fewest tokens of a whole text, as far as a search could find.
    pub fn shortest(&self) -> usize {
        self.inner.shortest.len()
    }

    /// The vocabulary.
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.inner.vocabulary
    }

    /// Checks a whole text against the grammar, byte by byte and apart from any vocabulary: special
    /// tokens stand in it as their names. A text of a schema must also be JSON.
    ///
    /// # Errors
    /// [`GrammarError::Json`], and [`GrammarError::Text`] with the first byte that is wrong;
    /// [`GrammarError::Compile`] for a Lark grammar with special tokens, which no text can follow.
    pub fn validates(&self, text: &str) -> Result<(), GrammarError> {
        let kind = self.inner.kind;
        if kind == JSON_SCHEMA {
            serde_json::from_str::<serde::de::IgnoredAny>(text)
                .map_err(|source| GrammarError::Json { source })?;
        }
        let check = self.inner.check.get_or_init(|| {
            let grammar = self.inner.on_text.clone().ok_or("it has ids, which are no text")?;
            text_check(grammar).map_err(|cause| cause.to_string())
        });
        match check {
            Ok(check) => check.run(text).map_err(|at| GrammarError::Text { kind, at }),
            Err(message) => Err(GrammarError::Compile { kind, source: message.clone().into() }),
        }
    }

    pub(crate) fn parser(&self) -> &ParserState {
        &self.inner.parser
    }

    /// Tokens that make the shortest text that is known.
    pub(crate) fn plan(&self) -> &[u32] {
        &self.inner.shortest
    }

    /// By how many tokens one more token can at most move the end away, where that is known.
    pub(crate) fn growth(&self) -> Option<usize> {
        self.inner.growth
    }

    fn new(
        kind: &'static str,
        vocabulary: &Vocabulary,
        grammar: TopLevelGrammar,
        on_text: Option<TopLevelGrammar>,
    ) -> Result<Self, GrammarError> {
        let parser = ParserState::new(grammar, vocabulary)
            .map_err(|source| GrammarError::Compile { kind, source })?;
        let shortest = closing(&parser, &[], vocabulary, FIRST)
            .ok_or(GrammarError::Endless { kind, tokens: FIRST.longest })?;
        let vocabulary = vocabulary.clone();
        let check = OnceLock::new();
        let inner = Inner { kind, vocabulary, parser, shortest, growth: None, on_text, check };
        Ok(Self { inner: Arc::new(inner) })
    }

    fn with_growth(mut self, growth: usize) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.inner) {
            inner.growth = Some(growth);
        }
        self
    }
}

const JSON_SCHEMA: &str = "JSON schema";

/// By how many tokens the end of a thesis can move away with one token: after half a character, up to
/// three more complete it.
const SPECIAL_GROWTH: usize = 8;

/// With tags as text: a token may cut through a longer one of the plan, which then comes in pieces, at
/// most a byte each; the tags and the longest action have 71 bytes.
const PLAIN_GROWTH: usize = 80;

impl fmt::Debug for Grammar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Grammar");
        out.field("kind", &self.inner.kind).field("shortest", &self.inner.shortest);
        out.finish_non_exhaustive()
    }
}

/// Whether a Lark grammar has ids of tokens, as in `<[7]>` or `<[7-9,12]>`.
fn names_ids(lark: &str) -> bool {
    lark.split("<[").skip(1).any(|rest| {
        let end = rest.find("]>").unwrap_or(0);
        end > 0 && rest[..end].chars().all(|c| c.is_ascii_digit() || "^*-, ".contains(c))
    })
}
