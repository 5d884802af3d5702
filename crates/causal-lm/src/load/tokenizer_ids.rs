use std::fmt;
use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::LoadError;

/// That a `tokenizer.json`, if there is one, has no id that the embedding does not have.
pub(super) fn check_tokenizer(path: &Path, vocab_size: usize) -> Result<(), LoadError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => {
            return Err(LoadError::Io { action: "open", path: path.to_owned(), source });
        }
    };
    let json = |source| LoadError::Json { path: path.to_owned(), source };
    let tokenizer: Tokenizer = serde_json::from_reader(BufReader::new(file)).map_err(json)?;
    let added = tokenizer.added_tokens.iter().map(|token| token.id).max();
    match tokenizer.model.vocab.0.max(added) {
        Some(highest) if highest >= vocab_size as u64 => {
            Err(LoadError::TokenizerTooLarge { path: path.to_owned(), highest, vocab_size })
        }
        _ => Ok(()),
    }
}

#[derive(Deserialize)]
struct Tokenizer {
    #[serde(default)]
    added_tokens: Vec<AddedToken>,
    #[serde(default)]
    model: Model,
}

#[derive(Deserialize)]
struct AddedToken {
    id: u64,
}

#[derive(Default, Deserialize)]
struct Model {
    #[serde(default)]
    vocab: HighestId,
}

/// The highest id of a vocabulary, without keeping it: of a map of ids, or of a list, where the place is the id.
#[derive(Default)]
struct HighestId(Option<u64>);

impl<'de> Deserialize<'de> for HighestId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Ids;

        impl<'de> Visitor<'de> for Ids {
            type Value = HighestId;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a vocabulary")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<HighestId, A::Error> {
                let mut highest = None;
                while let Some((IgnoredAny, id)) = map.next_entry::<IgnoredAny, u64>()? {
                    highest = highest.max(Some(id));
                }
                Ok(HighestId(highest))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<HighestId, A::Error> {
                let mut len = 0_u64;
                while seq.next_element::<IgnoredAny>()?.is_some() {
                    len += 1;
                }
                Ok(HighestId(len.checked_sub(1)))
            }
        }

        deserializer.deserialize_any(Ids)
    }
}
