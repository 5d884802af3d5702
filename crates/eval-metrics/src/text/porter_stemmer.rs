/// The stem of a word of lower-case ASCII letters and digits, as nltk's `PorterStemmer` in its
/// default mode makes it, which differs from Porter's own program: a short list of irregular
/// forms, `-ies` and `-ied` of four-letter words keep their `e`, `y` becomes `i` after any
/// consonant but the first letter, `-alli` is undone twice, `-fulli` and `-logi` are undone too.
///
/// Source: Porter (1980), "An algorithm for suffix stripping"; nltk 3.10, `stem/porter.py`.
pub(super) fn porter_stem(word: &str) -> String {
    if let Some((_, stem)) = IRREGULAR.iter().find(|(form, _)| *form == word) {
        return (*stem).to_owned();
    }
    let mut word = word.to_owned();
    if word.len() > 2 {
        plural(&mut word);
        past_and_gerund(&mut word);
        final_y(&mut word);
        double_suffix(&mut word);
        apply_rules(&mut word, &STEP_3, 0);
        single_suffix(&mut word);
        final_e(&mut word);
        final_double_l(&mut word);
    }
    word
}

const IRREGULAR: [(&str, &str); 16] = [
    ("sky", "sky"),
    ("skies", "sky"),
    ("dying", "die"),
    ("lying", "lie"),
    ("tying", "tie"),
    ("news", "news"),
    ("innings", "inning"),
    ("inning", "inning"),
    ("outings", "outing"),
    ("outing", "outing"),
    ("cannings", "canning"),
    ("canning", "canning"),
    ("howe", "howe"),
    ("proceed", "proceed"),
    ("exceed", "exceed"),
    ("succeed", "succeed"),
];

const STEP_2: [(&str, &str); 21] = [
    ("ational", "ate"),
    ("tional", "tion"),
    ("enci", "ence"),
    ("anci", "ance"),
    ("izer", "ize"),
    ("bli", "ble"),
    ("alli", "al"),
    ("entli", "ent"),
    ("eli", "e"),
    ("ousli", "ous"),
    ("ization", "ize"),
    ("ation", "ate"),
    ("ator", "ate"),
    ("alism", "al"),
    ("iveness", "ive"),
    ("fulness", "ful"),
    ("ousness", "ous"),
    ("aliti", "al"),
    ("iviti", "ive"),
    ("biliti", "ble"),
    ("fulli", "ful"),
];

const STEP_3: [(&str, &str); 7] = [
    ("icate", "ic"),
    ("ative", ""),
    ("alize", "al"),
    ("iciti", "ic"),
    ("ical", "ic"),
    ("ful", ""),
    ("ness", ""),
];

/// Step 4; `ion` needs an `s` or a `t` before it.
const STEP_4: [(&str, &str); 19] = [
    ("al", ""),
    ("ance", ""),
    ("ence", ""),
    ("er", ""),
    ("ic", ""),
    ("able", ""),
    ("ible", ""),
    ("ant", ""),
    ("ement", ""),
    ("ment", ""),
    ("ent", ""),
    ("ion", ""),
    ("ou", ""),
    ("ism", ""),
    ("ate", ""),
    ("iti", ""),
    ("ous", ""),
    ("ive", ""),
    ("ize", ""),
];

/// Step 1a.
fn plural(word: &mut String) {
    let cut = if word.ends_with("ies") {
        if word.len() == 4 { 1 } else { 2 }
    } else if word.ends_with("sses") {
        2
    } else if word.ends_with('s') && !word.ends_with("ss") {
        1
    } else {
        0
    };
    word.truncate(word.len() - cut);
}

/// Step 1b.
fn past_and_gerund(word: &mut String) {
    if word.ends_with("ied") {
        let cut = if word.len() == 4 { 1 } else { 2 };
        word.truncate(word.len() - cut);
        return;
    }
    if let Some(stem) = word.strip_suffix("eed") {
        if measure(stem) > 0 {
            word.pop();
        }
        return;
    }
    let stem = word.strip_suffix("ed").or_else(|| word.strip_suffix("ing"));
    let Some(stem) = stem.filter(|stem| has_vowel(stem)) else { return };
    let length = stem.len();
    word.truncate(length);
    if ["at", "bl", "iz"].iter().any(|end| word.ends_with(end)) {
        word.push('e');
    } else if ends_in_double_consonant(word) {
        if !word.ends_with(['l', 's', 'z']) {
            word.pop();
        }
    } else if measure(word) == 1 && ends_in_short_syllable(word) {
        word.push('e');
    }
}

/// Step 1c.
fn final_y(word: &mut String) {
    if let Some(stem) = word.strip_suffix('y')
        && stem.len() > 1
        && consonants(stem).last() == Some(true)
    {
        word.pop();
        word.push('i');
    }
}

/// Step 2.
fn double_suffix(word: &mut String) {
    if let Some(stem) = word.strip_suffix("alli")
        && measure(stem) > 0
    {
        word.truncate(word.len() - 2);
        return double_suffix(word);
    }
    if STEP_2.iter().any(|(suffix, _)| word.ends_with(suffix)) {
        apply_rules(word, &STEP_2, 0);
    } else if word.ends_with("logi") && measure(&word[..word.len() - 3]) > 0 {
        word.pop();
    }
}

/// Step 4.
fn single_suffix(word: &mut String) {
    // `ion` is reached only where no earlier rule fits, and none of them ends in `ion`.
    let stem = word.strip_suffix("ion");
    if stem.is_some_and(|stem| !stem.ends_with(['s', 't'])) {
        return;
    }
    apply_rules(word, &STEP_4, 1);
}

/// Step 5a.
fn final_e(word: &mut String) {
    if let Some(stem) = word.strip_suffix('e') {
        let measure = measure(stem);
        if measure > 1 || (measure == 1 && !ends_in_short_syllable(stem)) {
            word.pop();
        }
    }
}

/// Step 5b.
fn final_double_l(word: &mut String) {
    if word.ends_with("ll") && measure(&word[..word.len() - 1]) > 1 {
        word.pop();
    }
}

/// The first suffix that the word has decides: it is replaced where the measure of what stands
/// before it is greater than `above`, and no further rule is tried.
fn apply_rules(word: &mut String, rules: &[(&str, &str)], above: usize) {
    let Some((suffix, replacement)) = rules.iter().find(|(suffix, _)| word.ends_with(suffix))
    else {
        return;
    };
    let stem = word.len() - suffix.len();
    if measure(&word[..stem]) > above {
        word.truncate(stem);
        word.push_str(replacement);
    }
}

/// For each letter whether it is a consonant: not one of `aeiou`, and for `y` not after a consonant.
fn consonants(word: &str) -> impl Iterator<Item = bool> {
    word.bytes().scan(false, |previous, letter| {
        *previous = match letter {
            b'a' | b'e' | b'i' | b'o' | b'u' => false,
            b'y' => !*previous,
            _ => true,
        };
        Some(*previous)
    })
}

/// How often a vowel is followed by a consonant.
fn measure(stem: &str) -> usize {
    consonants(stem).zip(consonants(stem).skip(1)).filter(|(a, b)| !a && *b).count()
}

fn has_vowel(stem: &str) -> bool {
    consonants(stem).any(|consonant| !consonant)
}

fn ends_in_double_consonant(word: &str) -> bool {
    let letters = word.as_bytes();
    letters.len() >= 2
        && letters[letters.len() - 1] == letters[letters.len() - 2]
        && consonants(word).last() == Some(true)
}

/// Porter's `*o`: consonant, vowel, consonant other than `w`, `x` and `y`; here also a word that is
/// a vowel and a consonant.
fn ends_in_short_syllable(word: &str) -> bool {
    let kinds: Vec<bool> = consonants(word).collect();
    match kinds.as_slice() {
        [false, true] => true,
        [.., true, false, true] => !word.ends_with(['w', 'x', 'y']),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words and what nltk 3.10.4 makes of them.
    const GOLDENS: &str = include_str!("../../../../fixtures/metrics/porter.tsv");

    #[test]
    fn stems_as_nltk() {
        let mut checked = 0;
        for line in GOLDENS.lines() {
            let (word, stem) = line.split_once('\t').unwrap();
            assert_eq!(porter_stem(word), stem, "{word}");
            checked += 1;
        }
        assert!(checked > 500);
    }

    #[test]
    fn no_word_is_too_short_or_too_odd() {
        for word in ["", "s", "yyyy", "yed", "ied", "eed", "ing", "ion", "ll", "1234", "sssssss"] {
            assert!(porter_stem(word).len() <= word.len() + 1, "{word}");
        }
    }
}
