use std::collections::{BTreeMap, HashMap};

use tokenizers::{AddedToken, AddedVocabulary, Tokenizer};

use crate::TokenizeError;
use crate::control_text::ControlText;
use crate::load_tokenizer::highest_id;

/// A tokenizer that cannot be talked into control tokens by the text that it reads.
#[derive(Debug, Clone)]
pub(crate) struct TextTokenizer {
    /// As it is saved, and as transformers sees it.
    tokenizer: Tokenizer,
    /// The same, but it knows control tokens under their aliases only.
    aliased: Tokenizer,
    /// What an added token of `aliased` is in `tokenizer`.
    real_ids: HashMap<u32, u32>,
    /// The text of each control token that the model's own vocabulary could produce.
    control_ids: HashMap<u32, String>,
    control: ControlText,
}

impl TextTokenizer {
    /// Wraps `tokenizer`. Control tokens are the special ones and those for which `is_control`
    /// says so.
    pub(crate) fn new(
        tokenizer: Tokenizer,
        is_control: impl Fn(&AddedToken) -> bool,
        unknown: Option<&str>,
    ) -> Result<Self, TokenizeError> {
        let failed = |source| TokenizeError::Encode { source };
        let added: BTreeMap<u32, AddedToken> =
            tokenizer.get_added_tokens_decoder().into_iter().collect();
        let controls = added.values().filter(|token| token.special || is_control(token));
        let control = ControlText::new(controls.map(|token| token.content.clone()).collect())
            .map_err(|error| failed(error.into()))?;
        let aliases: HashMap<&str, String> = control.aliases().collect();
        let mut aliased = tokenizer.clone();
        aliased.with_added_vocabulary(AddedVocabulary::new());
        aliased.add_tokens(fillers(&tokenizer)).map_err(failed)?;
        let rename = |token: &AddedToken| match aliases.get(token.content.as_str()) {
            Some(alias) => AddedToken { content: alias.clone(), ..token.clone() },
            None => token.clone(),
        };
        aliased.add_tokens(added.values().map(rename)).map_err(failed)?;
        let id_of = |token: &AddedToken| aliased.token_to_id(&rename(token).content);
        let real_ids = added.iter().filter_map(|(id, token)| Some((id_of(token)?, *id))).collect();
        let control_ids = added
            .iter()
            .filter(|(_, token)| aliases.contains_key(token.content.as_str()))
            // An unknown character is what this token is for; it says nothing to the model.
            .filter(|(_, token)| Some(token.content.as_str()) != unknown)
            .map(|(id, token)| (*id, token.content.clone()))
            .collect();
        Ok(Self { tokenizer, aliased, real_ids, control_ids, control })
    }

    /// The tokenizer as it is saved.
    pub(crate) fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// What marks and resolves control tokens.
    pub(crate) fn control(&self) -> &ControlText {
        &self.control
    }

    /// The ids of a text whose contents were marked; unmarked control tokens become their ids.
    pub(crate) fn encode_marked(&self, text: &str) -> Result<Vec<u32>, TokenizeError> {
        self.encode(&self.control.resolve(text))
    }

    /// The ids with which the tokenizer's own post-processor begins every text.
    pub(crate) fn prefix(&self) -> Result<Vec<u32>, TokenizeError> {
        let ids = |special| {
            let encoding = self.tokenizer.encode_fast("a", special);
            encoding
                .map(|e| e.get_ids().to_vec())
                .map_err(|source| TokenizeError::Encode { source })
        };
        let (bare, whole) = (ids(false)?, ids(true)?);
        let at = whole.windows(bare.len().max(1)).position(|window| window == bare);
        Ok(whole[..at.unwrap_or(0)].to_vec())
    }

    /// The text of `ids`, special tokens included.
    pub(crate) fn decode(&self, ids: &[u32]) -> Result<String, TokenizeError> {
        self.tokenizer.decode(ids, false).map_err(|source| TokenizeError::Encode { source })
    }

    fn encode(&self, resolved: &str) -> Result<Vec<u32>, TokenizeError> {
        let encoding = self.aliased.encode_fast(resolved, false);
        let encoding = encoding.map_err(|source| TokenizeError::Encode { source })?;
        let mut ids = Vec::with_capacity(encoding.get_ids().len());
        for id in encoding.get_ids() {
            match (self.real_ids.get(id), self.control_ids.get(id)) {
                (Some(real), _) => ids.push(*real),
                (None, Some(spelled)) => self.spell_out(spelled, &mut ids)?,
                (None, None) => ids.push(*id),
            }
        }
        Ok(ids)
    }

    /// Some models (Unigram, WordLevel) know their control tokens as words, too; such a word is
    /// read letter by letter.
    fn spell_out(&self, token: &str, ids: &mut Vec<u32>) -> Result<(), TokenizeError> {
        for c in token.chars() {
            let encoding = self.aliased.encode_fast(c.to_string(), false);
            let encoding = encoding.map_err(|source| TokenizeError::Encode { source })?;
            let letter = encoding.get_ids().iter().copied();
            ids.extend(letter.filter(|id| !self.control_ids.contains_key(id)));
        }
        Ok(())
    }
}

/// Tokens that fill the holes between a vocabulary's size and its highest id, so that no alias gets
/// an id that a word has.
fn fillers(tokenizer: &Tokenizer) -> Vec<AddedToken> {
    let (size, highest) = (tokenizer.get_vocab_size(false) as u32, highest_id(tokenizer));
    let filler =
        |id: u32| AddedToken::from(format!("\u{FDD0}-{id}\u{FDD1}"), false).normalized(false);
    (size..=highest).map(filler).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    // Ids of a Unigram model that knows `</s>` as a word, and of one with a hole in its ids.
    const UNIGRAM: &str = r#"{"version":"1.0","added_tokens":[
        {"id":1,"content":"</s>","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true}],
        "model":{"type":"Unigram","unk_id":0,"vocab":[["<unk>",0.0],["</s>",0.0],["<",-2.0],["/",-2.0],["s",-2.0],[">",-2.0],["a",-2.0]]}}"#;
    const HOLES: &str = r#"{"version":"1.0","added_tokens":[],
        "model":{"type":"BPE","unk_token":null,"vocab":{"a":0,"b":3,"<":4},"merges":[]}}"#;

    #[test]
    fn a_model_that_knows_a_control_token_as_a_word_reads_letters() {
        let tokenizer = Tokenizer::from_bytes(UNIGRAM).unwrap();
        let text = TextTokenizer::new(tokenizer, |_| false, Some("<unk>")).unwrap();
        let marked = text.control().mark("a</s>", |_| false);
        assert_eq!(text.encode_marked(&marked).unwrap(), [6, 2, 3, 4, 5]);
        assert_eq!(text.encode_marked("a</s>").unwrap(), [6, 1]);
        assert_eq!(text.encode_marked("é").unwrap(), [0]);
    }

    #[test]
    fn aliases_stay_clear_of_ids_after_a_hole() {
        let mut tokenizer = Tokenizer::from_bytes(HOLES).unwrap();
        tokenizer.add_special_tokens([AddedToken::from("<", true)]).unwrap();
        let text = TextTokenizer::new(tokenizer, |_| false, None).unwrap();
        assert_eq!(text.encode_marked("ab<b").unwrap(), [0, 3, 4, 3]);
    }
}
