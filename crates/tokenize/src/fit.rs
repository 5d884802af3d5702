use crate::{Example, PromptFormat, Question, TokenizeError};

/// How an example came to fit into a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fit {
    /// As it is.
    Whole(Example),
    /// With its input cut after so many bytes.
    Shortened {
        /// The example that fits.
        example: Example,
        /// Bytes of the input that were kept.
        kept: usize,
        /// Tokens of the whole one.
        tokens: usize,
    },
    /// Not: no input is short enough, or none was tried.
    TooLong {
        /// Tokens of the whole one.
        tokens: usize,
    },
}

/// Encodes a question and its output into at most `max_length` tokens; `shorten` allows to leave
/// out the end of the input.
///
/// The longest beginning of whole lines is kept, or of whole words where not even the first line
/// fits, so that no figure is cut in half. The output is never shortened.
///
/// # Errors
/// As [`PromptFormat::example`].
pub fn fit(
    format: &PromptFormat,
    question: &Question<'_>,
    output: &str,
    max_length: usize,
    shorten: bool,
) -> Result<Fit, TokenizeError> {
    let Example { prompt, target } = format.example(question, output)?;
    let tokens = prompt.len() + target.len();
    if tokens <= max_length {
        return Ok(Fit::Whole(Example { prompt, target }));
    }
    let room = max_length.saturating_sub(target.len());
    if !shorten || room == 0 {
        return Ok(Fit::TooLong { tokens });
    }
    let prompt_of = |kept: usize| {
        let ids = format.prompt_ids(&Question { input: &question.input[..kept], ..*question })?;
        Ok((ids.len() <= room).then_some((ids, kept)))
    };
    let lines = line_ends(question.input);
    let kept = match longest(&lines, prompt_of)? {
        Some(kept) => Some(kept),
        None => {
            let first = lines.first().copied().unwrap_or(question.input.len());
            match longest(&word_ends(&question.input[..first]), prompt_of)? {
                Some(kept) => Some(kept),
                None => prompt_of(0)?,
            }
        }
    };
    Ok(match kept {
        Some((prompt, kept)) => {
            Fit::Shortened { example: Example { prompt, target }, kept, tokens }
        }
        None => Fit::TooLong { tokens },
    })
}

/// The result for the largest of the ascending `ends` that `try_end` accepts, found by halving.
fn longest<T>(
    ends: &[usize],
    try_end: impl Fn(usize) -> Result<Option<T>, TokenizeError>,
) -> Result<Option<T>, TokenizeError> {
    let (mut low, mut high) = (0, ends.len());
    let mut best = None;
    while low < high {
        let middle = low.midpoint(high);
        match try_end(ends[middle])? {
            Some(result) => {
                best = Some(result);
                low = middle + 1;
            }
            None => high = middle,
        }
    }
    Ok(best)
}

/// Where lines that hold text end, before the white space that follows.
fn line_ends(text: &str) -> Vec<usize> {
    let breaks = text.match_indices('\n').map(|(at, _)| at);
    ends_with_text(text, breaks.chain([text.len()]))
}

/// Where words end. A no-break space does not end one: it may stand between the digits of a number.
fn word_ends(text: &str) -> Vec<usize> {
    let breaks = text
        .char_indices()
        .filter(|(_, c)| c.is_whitespace() && !matches!(c, '\u{A0}' | '\u{2007}' | '\u{202F}'));
    ends_with_text(text, breaks.map(|(at, _)| at).chain([text.len()]))
}

fn ends_with_text(text: &str, breaks: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut ends: Vec<usize> = breaks.map(|at| text[..at].trim_end().len()).collect();
    ends.dedup();
    ends.retain(|end| *end > 0);
    ends
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_words_end_after_text() {
        let kept = |ends: Vec<usize>, text: &'static str| {
            ends.into_iter().map(|end| &text[..end]).collect::<Vec<_>>()
        };
        let text = "a 1\n\n  b\n";
        assert_eq!(kept(line_ends(text), text), ["a 1", "a 1\n\n  b"]);
        let text = " up 1\u{A0}234,5 é";
        assert_eq!(kept(word_ends(text), text), [" up", " up 1\u{A0}234,5", text]);
        assert!(line_ends(" \n ").is_empty());
    }

    #[test]
    fn the_largest_that_is_accepted() {
        let check = |ends: &[usize], limit: usize| {
            longest(ends, |end| Ok((end <= limit).then_some(end))).unwrap()
        };
        assert_eq!(check(&[2, 5, 9], 8), Some(5));
        assert_eq!(check(&[2, 5, 9], 9), Some(9));
        assert_eq!(check(&[2, 5, 9], 1), None);
        assert_eq!(check(&[], 1), None);
    }
}
