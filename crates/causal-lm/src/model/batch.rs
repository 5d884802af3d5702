use cpu_kernels::decoder::Span;

use crate::BatchError;

/// That spans cover the batch in order, without gaps, and that every id is in the vocabulary.
pub(super) fn check_batch(
    ids: &[u32],
    spans: &[Span],
    vocab_size: usize,
) -> Result<(), BatchError> {
    let tokens = ids.len();
    if tokens == 0 || spans.iter().any(|span| span.len == 0) {
        return Err(BatchError::Empty);
    }
    let mut expected = 0;
    for (span, &Span { start, len, .. }) in spans.iter().enumerate() {
        if start != expected {
            return Err(BatchError::Spans { span, start, expected, tokens });
        }
        expected =
            start.checked_add(len).filter(|end| *end <= tokens).ok_or(BatchError::Spans {
                span: span + 1,
                start: start.saturating_add(len),
                expected: tokens,
                tokens,
            })?;
    }
    if expected != tokens {
        let span = spans.len();
        return Err(BatchError::Spans { span, start: expected, expected: tokens, tokens });
    }
    match ids.iter().position(|id| *id as usize >= vocab_size) {
        None => Ok(()),
        Some(index) => Err(BatchError::TokenId { id: ids[index], index, vocab_size }),
    }
}

/// That spans are whole sequences.
pub(super) fn check_whole(spans: &[Span]) -> Result<(), BatchError> {
    match spans.iter().position(|span| span.position > 0) {
        None => Ok(()),
        Some(span) => Err(BatchError::NoCache { span, position: spans[span].position }),
    }
}
