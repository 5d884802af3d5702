use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use llguidance::ParserFactory;
use llguidance::toktrie::{
    InferenceCapabilities, TokEnv, TokRxInfo, TokTrie, TokenId, TokenizerEnv,
};

use crate::GrammarError;

/// Ids have 24 bits in the trie, and one value says that there is none.
const MOST_TOKENS: usize = (1 << 24) - 2;

/// The trie counts the parents of a node in 10 bits.
const LONGEST_TOKEN: usize = 1 << 10;

/// Never part of UTF-8, so it marks what is no text.
const MARK: u8 = TokTrie::SPECIAL_TOKEN_MARKER;

/// Sets of texts for which the allowed tokens are known at once: contents of JSON strings, and texts
/// between tags. What is in none of them is walked through token by token.
const SLICES: [&str; 5] = [
    r"[\x20\x0A\x0D\x09]+",
    r#"[^"\\\x00-\x1F\x7F]{1,10}"#,
    r#"[^"\\\x00-\x1F\x7F]{1,30}"#,
    r#"[^"\\\x00-\x1F\x7F]+"#,
    r"[^<]+",
];

/// The tokens of a model, prepared for grammars; made once, cheap to clone.
#[derive(Clone)]
pub struct Vocabulary {
    inner: Arc<Inner>,
    tokenize: Option<Tokenize>,
    begins_with_space: bool,
}

/// Cuts a text into tokens as the model's tokenizer does.
type Tokenize = Arc<dyn Fn(&str) -> Vec<u32> + Send + Sync>;

struct Inner {
    factory: ParserFactory,
    special: BTreeMap<String, u32>,
    eos_ids: Vec<u32>,
    /// For each byte, the tokens that begin with it, shortest first.
    by_first_byte: Vec<Vec<u32>>,
    /// Tokens that stand for no bytes but have a name.
    named: Vec<u32>,
}

impl Vocabulary {
    /// Prepares a vocabulary.
    ///
    /// `token_bytes` has the bytes of each id; `None` for control tokens, which grammars never
    /// allow by their text. `special_tokens` are the ids that a grammar can name, such as
    /// `<reasoning>`; they are no text either, whatever bytes they have. A text ends at any of
    /// `eos_ids`.
    ///
    /// # Errors
    /// [`GrammarError::VocabularySize`], [`GrammarError::NoEnd`] and [`GrammarError::UnknownId`].
    pub fn new(
        token_bytes: Vec<Option<Vec<u8>>>,
        special_tokens: BTreeMap<String, u32>,
        eos_ids: Vec<u32>,
    ) -> Result<Self, GrammarError> {
        let tokens = token_bytes.len();
        if tokens == 0 || tokens > MOST_TOKENS {
            return Err(GrammarError::VocabularySize { tokens, most: MOST_TOKENS });
        }
        let first_end = *eos_ids.first().ok_or(GrammarError::NoEnd)?;
        let ends = eos_ids.iter().map(|id| ("end", id));
        let named = special_tokens.iter().map(|(name, id)| (name.as_str(), id));
        for (role, id) in ends.chain(named) {
            if *id as usize >= tokens {
                let role = role.to_owned();
                return Err(GrammarError::UnknownId { role, id: *id, tokens });
            }
        }
        let usable = |bytes: &Vec<u8>| bytes.len() < LONGEST_TOKEN && !bytes.contains(&MARK);
        let mut words: Vec<Vec<u8>> =
            token_bytes.into_iter().map(|bytes| bytes.filter(usable).unwrap_or_default()).collect();
        for id in &eos_ids {
            words[*id as usize].clear();
        }
        // At least one name must be there for the trie to know where names begin.
        words[first_end as usize] = [&[MARK], b"<|end of text|>".as_slice()].concat();
        for (name, id) in &special_tokens {
            let bracketed = name.starts_with('<') && name.ends_with('>') && name.len() < 100;
            words[*id as usize] = match bracketed {
                true => [&[MARK], name.as_bytes()].concat(),
                false => Vec::new(),
            };
        }
        let mut by_first_byte = vec![Vec::new(); 256];
        for (id, word) in words.iter().enumerate() {
            if let Some(first) = word.first().filter(|first| **first != MARK) {
                by_first_byte[usize::from(*first)].push(id as u32);
            }
        }
        for ids in &mut by_first_byte {
            ids.sort_by_key(|id| words[*id as usize].len());
        }
        let info = TokRxInfo::new(tokens as u32, first_end);
        let trie = TokTrie::from(&info, &words).with_eos_tokens(&eos_ids);
        let environment: TokEnv = Arc::new(BytesOnly { trie });
        let slices = SLICES.map(str::to_owned);
        let factory = ParserFactory::new(&environment, InferenceCapabilities::default(), &slices);
        let mut factory = factory
            .map_err(|error| GrammarError::Compile { kind: "vocabulary", source: error.into() })?;
        factory.quiet();
        factory.limits_mut().verbose_errors = false;
        let named = special_tokens.values().copied().filter(|id| !eos_ids.contains(id)).collect();
        let inner = Inner { factory, special: special_tokens, eos_ids, by_first_byte, named };
        Ok(Self { inner: Arc::new(inner), tokenize: None, begins_with_space: false })
    }

    /// The same with the model's tokenizer, so that [`crate::Matcher::forced`] can find text. It gets
    /// text without special tokens, and its ids must be this vocabulary's.
    #[must_use]
    pub fn with_tokenizer(
        mut self,
        tokenize: impl Fn(&str) -> Vec<u32> + Send + Sync + 'static,
    ) -> Self {
        self.tokenize = Some(Arc::new(tokenize));
        self
    }

    /// The same for a tokenizer that begins any text with a space of its own, as SentencePiece does: a thesis may begin
    /// with one.
    #[must_use]
    pub fn with_space_first(mut self, begins_with_space: bool) -> Self {
        self.begins_with_space = begins_with_space;
        self
    }

    pub(crate) fn begins_with_space(&self) -> bool {
        self.begins_with_space
    }

    /// How many tokens there are.
    pub fn len(&self) -> usize {
        self.trie().vocab_size()
    }

    /// Whether there are none; never so.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The ids at which a text ends.
    pub fn eos_ids(&self) -> &[u32] {
        &self.inner.eos_ids
    }

    /// The id of a token that grammars can name.
    pub fn special_token(&self, name: &str) -> Option<u32> {
        self.inner.special.get(name).copied()
    }

    pub(crate) fn factory(&self) -> &ParserFactory {
        &self.inner.factory
    }

    pub(crate) fn trie(&self) -> &TokTrie {
        self.inner.factory.tok_env().tok_trie()
    }

    /// The tokens that begin with a byte, shortest first.
    pub(crate) fn beginning_with(&self, byte: u8) -> &[u32] {
        self.inner.by_first_byte.get(usize::from(byte)).map_or(&[], Vec::as_slice)
    }

    /// The text as the model's tokenizer cuts it, where that is known and gives back just the text.
    pub(crate) fn tokenize(&self, text: &[u8]) -> Option<Vec<u32>> {
        let tokens = self.tokenize.as_ref()?(std::str::from_utf8(text).ok()?);
        let mut rest = text;
        for id in &tokens {
            rest = rest.strip_prefix(self.bytes(*id)?)?;
        }
        rest.is_empty().then_some(tokens)
    }

    /// The named tokens that end no text.
    pub(crate) fn named(&self) -> &[u32] {
        &self.inner.named
    }

    /// The bytes of a token that is text.
    pub(crate) fn bytes(&self, id: u32) -> Option<&[u8]> {
        let bytes = self.trie().token(id);
        (!bytes.is_empty() && bytes[0] != MARK).then_some(bytes)
    }
}

impl fmt::Debug for Vocabulary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Vocabulary");
        out.field("tokens", &self.len()).field("special", &self.inner.special);
        out.field("eos_ids", &self.inner.eos_ids).finish()
    }
}

/// A vocabulary without a tokenizer: any cut of a text into tokens is as good as another.
struct BytesOnly {
    trie: TokTrie,
}

impl TokenizerEnv for BytesOnly {
    fn tok_trie(&self) -> &TokTrie {
        &self.trie
    }

    fn tokenize_bytes(&self, bytes: &[u8]) -> Vec<TokenId> {
        self.trie.greedy_tokenize(bytes)
    }

    fn tokenize_is_canonical(&self) -> bool {
        false
    }
}
