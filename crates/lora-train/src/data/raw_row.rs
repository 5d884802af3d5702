use super::RowFault;
use super::token_rows::{TARGET, pack_token};
use tokenize::IGNORED;

/// A row as its columns have it.
#[derive(Debug, Default)]
pub(super) struct RawRow<'a> {
    pub(super) input_ids: &'a [i64],
    pub(super) labels: &'a [i64],
    pub(super) attention_mask: Option<&'a [i64]>,
    pub(super) position_ids: Option<&'a [i64]>,
    pub(super) seq_lengths: Option<&'a [i64]>,
}

impl RawRow<'_> {
    /// The examples of the row, checked, each token with [`TARGET`] where it is one.
    ///
    /// The first token of an example is never a target: nothing stands before it that could predict it.
    pub(super) fn examples(&self, vocab_size: usize) -> Result<Vec<Box<[u32]>>, RowFault> {
        let kept = self.unpadded()?;
        // Beyond that the mark of a target would be part of an id.
        let vocab_size = vocab_size.min(TARGET as usize);
        let mut tokens = Vec::with_capacity(kept.len());
        for position in kept.clone() {
            let (id, label) = (self.input_ids[position], self.labels[position]);
            if id < 0 || id >= vocab_size as i64 {
                return Err(RowFault::Id { position, id, last: vocab_size.saturating_sub(1) });
            }
            if label != id && label != i64::from(IGNORED) {
                return Err(RowFault::Label { position, label, id });
            }
            tokens.push(pack_token(id as u32, label == id));
        }
        let lengths = self.lengths(&kept)?;
        let mut examples = Vec::with_capacity(lengths.len());
        let mut rest = tokens.as_mut_slice();
        for length in lengths {
            let (example, behind) = rest.split_at_mut(length);
            example[0] &= !TARGET;
            examples.push((&*example).into());
            rest = behind;
        }
        Ok(examples)
    }

    /// The tokens that are not padding.
    fn unpadded(&self) -> Result<std::ops::Range<usize>, RowFault> {
        let tokens = self.input_ids.len();
        let columns = [
            ("labels", Some(self.labels)),
            ("attention_mask", self.attention_mask),
            ("position_ids", self.position_ids),
        ];
        for (column, values) in columns {
            let got = values.map_or(tokens, <[i64]>::len);
            if got != tokens {
                return Err(RowFault::Length { column, got, expected: tokens, of: "tokens" });
            }
        }
        let Some(mask) = self.attention_mask else {
            return if tokens == 0 { Err(RowFault::NoTokens) } else { Ok(0..tokens) };
        };
        if let Some(position) = mask.iter().position(|value| !matches!(value, 0 | 1)) {
            return Err(RowFault::Mask { position, value: mask[position] });
        }
        let first = mask.iter().position(|&value| value == 1).ok_or(RowFault::NoTokens)?;
        let last = mask.iter().rposition(|&value| value == 1).unwrap_or(first);
        if let Some(gap) = mask[first..last].iter().position(|&value| value == 0) {
            return Err(RowFault::Gap { position: first + gap });
        }
        let padding = (0..first).chain(last + 1..tokens);
        for position in padding {
            let label = self.labels[position];
            if label != i64::from(IGNORED) {
                return Err(RowFault::PaddedTarget { position, label });
            }
        }
        Ok(first..last + 1)
    }

    /// Tokens of each example: by seq_lengths, else by positions that begin again, else all of them.
    fn lengths(&self, kept: &std::ops::Range<usize>) -> Result<Vec<usize>, RowFault> {
        let tokens = kept.len();
        if let Some(lengths) = self.seq_lengths {
            let wrong = || RowFault::SequenceLengths { lengths: lengths.to_vec(), tokens };
            let length = |&length: &i64| usize::try_from(length).ok().filter(|&length| length > 0);
            let known: Vec<usize> =
                lengths.iter().map(length).collect::<Option<_>>().ok_or_else(wrong)?;
            let sum = known.iter().try_fold(0_usize, |sum, &length| sum.checked_add(length));
            return if sum == Some(tokens) { Ok(known) } else { Err(wrong()) };
        }
        let Some(positions) = self.position_ids else { return Ok(vec![tokens]) };
        let mut lengths: Vec<usize> = Vec::new();
        for (position, &got) in kept.clone().zip(&positions[kept.clone()]) {
            let expected = lengths.last().map_or(0, |&length| length as i64);
            match lengths.last_mut() {
                Some(length) if got == expected => *length += 1,
                _ if got == 0 => lengths.push(1),
                _ => return Err(RowFault::Position { position, got, expected }),
            }
        }
        Ok(lengths)
    }
}
