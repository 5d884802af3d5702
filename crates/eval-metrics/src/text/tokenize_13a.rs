use super::python_whitespace::is_python_whitespace;

/// Tokens of a line as `mteval-v13a.pl` and sacrebleu's default tokenizer `13a` make them.
///
/// Four HTML entities are decoded, ASCII symbols stand alone, and period and comma do unless they
/// stand between digits; a dash is cut off after a digit. Letters of other scripts are not cut.
///
/// Source: sacrebleu 2.6, `tokenizer_13a` and `tokenizer_re`.
pub fn tokenize_13a(line: &str) -> Vec<String> {
    let line = line.trim_end_matches(is_python_whitespace);
    let mut line = line.replace("<skipped>", "").replace("-\n", "").replace('\n', " ");
    if line.contains('&') {
        for (entity, symbol) in [("&quot;", "\""), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">")] {
            line = line.replace(entity, symbol);
        }
    }
    let mut chars = vec![' '];
    for c in line.chars() {
        if stands_alone(c) { chars.extend([' ', c, ' ']) } else { chars.push(c) }
    }
    chars.push(' ');
    // Each pass consumes its pairs of characters from left to right without overlap: of three
    // periods in a row, the second is part of the first pair and cannot begin another.
    let chars =
        cut_pairs(&chars, |a, b| !a.is_ascii_digit() && is_point(b), |a, b| [a, ' ', b, ' ']);
    let chars =
        cut_pairs(&chars, |a, b| is_point(a) && !b.is_ascii_digit(), |a, b| [' ', a, ' ', b]);
    let chars = cut_pairs(&chars, |a, b| a.is_ascii_digit() && b == '-', |a, b| [a, ' ', b, ' ']);
    let words = chars.split(|c| is_python_whitespace(*c)).filter(|word| !word.is_empty());
    words.map(|word| word.iter().collect()).collect()
}

fn stands_alone(c: char) -> bool {
    matches!(c, '{'..='~' | '['..='`' | ' '..='&' | '('..='+' | ':'..='@' | '/')
}

fn is_point(c: char) -> bool {
    matches!(c, '.' | ',')
}

/// Replaces pairs of neighbours, as a regular expression of two characters does.
fn cut_pairs(
    chars: &[char],
    matches: fn(char, char) -> bool,
    replacement: fn(char, char) -> [char; 4],
) -> Vec<char> {
    let mut out = Vec::with_capacity(chars.len() + chars.len() / 4);
    let mut rest = chars;
    loop {
        rest = match rest {
            [a, b, tail @ ..] if matches(*a, *b) => {
                out.extend(replacement(*a, *b));
                tail
            }
            [a, tail @ ..] => {
                out.push(*a);
                tail
            }
            [] => return out,
        };
    }
}
