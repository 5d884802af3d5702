/// Words as a shell would read them back.
pub(super) fn shell(words: &[String]) -> String {
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &str) -> String {
    // A leading `~` or `=` means something to some shells.
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,+@%=".contains(c);
    if !word.is_empty() && !word.starts_with('=') && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_shell_reads_the_words_back() {
        let check = |words: &[&str], want: &str| {
            let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
            let line = shell(&words);
            assert_eq!(line, want);
            // An independent reader.
            let script = format!("printf '%s\\0' {line}");
            let read = Command::new("sh").args(["-c", &script]).output().unwrap();
            let read = String::from_utf8(read.stdout).unwrap();
            let read: Vec<&str> = read.strip_suffix('\0').unwrap().split('\0').collect();
            assert_eq!(read, words);
        };
        check(&["a/b-c_d.e", "--to", "2022-12-31"], "a/b-c_d.e --to 2022-12-31");
        check(&["two words", ""], "'two words' ''");
        check(
            &["it's", "$HOME", "`x`", "a\"b", "~", "*", "a;b", "#"],
            r#"'it'\''s' '$HOME' '`x`' 'a"b' '~' '*' 'a;b' '#'"#,
        );
        check(&["AAPL,BRK.B,^GSPC", "=x", "ü\n"], "'AAPL,BRK.B,^GSPC' '=x' 'ü\n'");
    }
}
