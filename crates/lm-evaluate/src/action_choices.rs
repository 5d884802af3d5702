use thesis_core::{Action, StructureTag};
use tokenize::{PromptFormat, StructureTokens};

use crate::LmEvaluateError;

/// The tokens of the five actions behind an answer's `<action>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionChoices {
    /// The answer up to where its action is named. Not the prompt.
    pub prefix: Vec<u32>,
    /// What follows, in the order of [`Action::ALL`]; never empty, and none is the beginning of another.
    pub continuations: [Vec<u32>; 5],
}

impl ActionChoices {
    /// The choices behind `before`, the text of an answer up to and with `<action>`.
    ///
    /// Where actions are single tokens, each is that token. Else the whole text, with each of the five actions and the
    /// closing tag, is tokenized; what all five begin with is the prefix, and a continuation ends with the first token of
    /// what all five end in: with the closing tag's first token, so that `BUY` is not also the beginning of `BUYING`.
    ///
    /// # Errors
    /// [`LmEvaluateError::Tokenize`] where the tokenizer fails, [`LmEvaluateError::NoActionTokens`] where it has no tokens for
    /// an action.
    pub fn new(format: &PromptFormat, before: &str) -> Result<Self, LmEvaluateError> {
        let close = StructureTag::Action.close();
        let whole = |action: Action| match format.structure_tokens() {
            StructureTokens::Added => format.answer_ids(&format!("{before}{}", action.token())),
            StructureTokens::Plain => format.answer_ids(&format!("{before}{action}{close}")),
        };
        let mut all = Vec::with_capacity(Action::ALL.len());
        for action in Action::ALL {
            all.push(whole(action)?);
        }
        let shared = common_beginning(&all);
        let ends = common_end(&all, shared).saturating_sub(1);
        let prefix = all[0][..shared].to_vec();
        let mut rest = all.into_iter().map(|mut ids| {
            ids.truncate(ids.len() - ends);
            ids.split_off(shared)
        });
        let continuations: [Vec<u32>; 5] = std::array::from_fn(|_| rest.next().unwrap_or_default());
        match Action::ALL.into_iter().find(|action| continuations[action.index()].is_empty()) {
            Some(action) => Err(LmEvaluateError::NoActionTokens { action }),
            None => Ok(Self { prefix, continuations }),
        }
    }
}

/// How many tokens all begin with.
fn common_beginning(all: &[Vec<u32>]) -> usize {
    let Some((first, others)) = all.split_first() else { return 0 };
    let same = |at: &usize| others.iter().all(|ids| ids.get(*at) == first.get(*at));
    (0..first.len()).take_while(same).count()
}

/// How many tokens all end in, of those behind the first `from`.
fn common_end(all: &[Vec<u32>], from: usize) -> usize {
    let Some((first, others)) = all.split_first() else { return 0 };
    let shortest = all.iter().map(Vec::len).min().unwrap_or(0);
    let back = |ids: &Vec<u32>, at: usize| ids[ids.len() - 1 - at];
    let same = |at: &usize| others.iter().all(|ids| back(ids, *at) == back(first, *at));
    (0..shortest.saturating_sub(from)).take_while(same).count()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tokenize::{ModelFiles, PromptOptions};

    use super::*;

    fn format(name: &str, structure_tokens: StructureTokens) -> PromptFormat {
        let folder =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/tokenizers").join(name);
        let files = ModelFiles::read(&folder).expect("the files are there");
        let options = PromptOptions { structure_tokens, ..PromptOptions::default() };
        PromptFormat::new(&files, &options).expect("the fixture is sound")
    }

    #[test]
    fn whole_texts_that_no_other_begins_with() {
        for name in ["byte-level", "bpe", "metaspace"] {
            for structure in [StructureTokens::Plain, StructureTokens::Added] {
                let format = format(name, structure);
                let before = "<reasoning>Up 5%.</reasoning><support>a</support><action>";
                let ActionChoices { prefix, continuations } =
                    ActionChoices::new(&format, before).unwrap();
                for (action, ids) in Action::ALL.into_iter().zip(&continuations) {
                    let text = format.decode(&[&*prefix, ids].concat()).unwrap();
                    let named = match structure {
                        StructureTokens::Added => action.token().to_owned(),
                        StructureTokens::Plain => format!("{action}<"),
                    };
                    assert!(text.ends_with(&named) || text.contains(&named), "{name} {text:?}");
                    let single = structure == StructureTokens::Added;
                    assert!(!single || ids.len() == 1, "{name} {ids:?}");
                    let begins = |other: &&Vec<u32>| other.starts_with(ids);
                    assert_eq!(continuations.iter().filter(begins).count(), 1, "{name} {action}");
                }
                // The shared beginning is the answer's own.
                let own = format.answer_ids(before).unwrap();
                assert!(own.starts_with(&prefix[..prefix.len().min(own.len() - 1)]), "{name}");
            }
        }
    }

    #[test]
    fn beginnings_and_ends() {
        let check = |all: &[&[u32]], begin, end| {
            let all: Vec<Vec<u32>> = all.iter().map(|ids| ids.to_vec()).collect();
            assert_eq!((common_beginning(&all), common_end(&all, begin)), (begin, end), "{all:?}");
        };
        check(&[&[1, 2, 7, 8], &[1, 3, 4, 7, 8]], 1, 2);
        check(&[&[1, 2], &[1, 3]], 1, 0);
        // An end never reaches into the beginning.
        check(&[&[1, 1, 9], &[1, 1, 1, 9]], 2, 1);
        check(&[&[5], &[5, 5]], 1, 0);
        check(&[], 0, 0);
    }
}
