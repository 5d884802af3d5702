use std::path::Path;

use crate::TokenizeError;

/// How a text is cut into words before bytes are merged.
pub(super) struct PreTokenizer {
    /// The values of `tokenizer.ggml.pre` that mean it.
    names: &'static [&'static str],
    /// Patterns in turn; each cuts the pieces that the earlier ones left, matches and gaps alike.
    pub(super) splits: &'static [&'static str],
    /// Whether a text is composed first.
    pub(super) nfc: bool,
    /// Whether a word that is a token is taken whole.
    pub(super) ignore_merges: bool,
    /// Whether a text begins with the `bos` token where the file does not say.
    pub(super) bos_by_default: bool,
}

const GPT2: &str = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";
const LLAMA3: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const QWEN2: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const DEEPSEEK3: &str = r##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"##;

const PLAIN: PreTokenizer = PreTokenizer {
    names: &[],
    splits: &[],
    nfc: false,
    ignore_merges: false,
    bos_by_default: false,
};

/// Names and patterns as llama.cpp has them (`src/llama-vocab.cpp`); composition as the models'
/// own tokenizers have it.
static KNOWN: [PreTokenizer; 6] = [
    PreTokenizer {
        names: &["gpt-2", "phi-2", "mpt", "olmo", "jina-es", "jina-de", "roberta-bpe"],
        splits: &[GPT2],
        ..PLAIN
    },
    PreTokenizer {
        names: &["default"],
        splits: &[r"[\p{P}\$\+<=>\^~\|]+", GPT2, r"\p{N}+", "[0-9][0-9][0-9]"],
        ..PLAIN
    },
    PreTokenizer {
        names: &["smollm", "starcoder", "refact", "command-r", "codeshell"],
        splits: &[r"\p{N}", GPT2],
        ..PLAIN
    },
    PreTokenizer {
        names: &["llama-bpe", "llama3", "llama-v3"],
        splits: &[LLAMA3],
        ignore_merges: true,
        bos_by_default: true,
        ..PLAIN
    },
    PreTokenizer { names: &["qwen2", "deepseek-r1-qwen"], splits: &[QWEN2], nfc: true, ..PLAIN },
    PreTokenizer {
        names: &["deepseek-v3"],
        splits: &[r"\p{N}{1,3}", "[一-龥\u{3040}-ゟ゠-ヿ]+", DEEPSEEK3],
        ..PLAIN
    },
];

/// The pre-tokenizer of that name.
///
/// # Errors
/// [`TokenizeError::GgufPreTokenizer`] for any other name and for none: a wrong cut gives wrong ids
/// without a word.
pub(super) fn pre_tokenizer(
    path: &Path,
    name: Option<&str>,
) -> Result<&'static PreTokenizer, TokenizeError> {
    let found = KNOWN.iter().find(|known| name.is_some_and(|name| known.names.contains(&name)));
    found.ok_or_else(|| TokenizeError::GgufPreTokenizer {
        path: path.to_owned(),
        name: name.unwrap_or_default().to_owned(),
        known: KNOWN.iter().flat_map(|known| known.names).copied().collect(),
    })
}
