use figment::error::{Actual, Kind};

use super::nearest::nearest;

/// What is wrong with a setting, in words; `key` has dots.
///
/// `meant` knows the setting that a key was meant to be, and `spelled` how it is written where the
/// fault is.
pub(crate) fn fault(
    stage: &str,
    key: &str,
    kind: &Kind,
    meant: impl Fn(&str) -> Option<String>,
    spelled: impl Fn(&str) -> String,
) -> String {
    match kind {
        Kind::InvalidType(got, expected) => {
            format!("`{key}` must be {}, got {}", wanted(expected), given(got))
        }
        Kind::InvalidValue(got @ Actual::Unsigned(_), expected) if whole(expected) => {
            format!("`{key}` must be a smaller number, got {}", given(got))
        }
        Kind::InvalidValue(got, expected) => {
            format!("`{key}` must be {}, got {}", wanted(expected), given(got))
        }
        Kind::InvalidLength(length, expected) => {
            format!("`{key}` must be {}, got {length} values", wanted(expected))
        }
        Kind::UnknownVariant(got, names) => {
            let meant = nearest(got, names.iter().copied());
            let meant = meant.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
            format!("`{key}` must be {}, got `{got}`{meant}", one_of(names))
        }
        Kind::UnknownField(name, names) => {
            let section =
                key.strip_suffix(name).filter(|rest| rest.is_empty() || rest.ends_with('.'));
            let (key, section) = match section {
                Some(section) => (key.to_owned(), section.to_owned()),
                None if key.is_empty() => (name.clone(), String::new()),
                None => (format!("{key}.{name}"), format!("{key}.")),
            };
            let sibling = nearest(name, names.iter().copied());
            let meant = sibling.map(|name| format!("{section}{name}")).or_else(|| meant(&key));
            unknown(stage, &key, meant.as_deref(), spelled)
        }
        Kind::MissingField(name) => format!("`{key}` lacks `{name}`"),
        Kind::DuplicateField(name) => format!("`{key}` has `{name}` twice"),
        other if key.is_empty() => other.to_string(),
        other => format!("`{key}`: {other}"),
    }
}

/// The words about a key that is no setting.
pub(crate) fn unknown(
    stage: &str,
    key: &str,
    meant: Option<&str>,
    spelled: impl Fn(&str) -> String,
) -> String {
    let meant = meant.map(|key| format!("; did you mean {}?", spelled(key))).unwrap_or_default();
    format!("{stage} has no setting `{key}`{meant}")
}

fn whole(expected: &str) -> bool {
    matches!(expected, "u8" | "u16" | "u32" | "u64" | "u128" | "usize")
}

/// What was expected, in the words of a settings file.
fn wanted(expected: &str) -> String {
    match expected {
        _ if whole(expected) => "a whole number of 0 or more".to_owned(),
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" => "a whole number".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a string" | "path string" => "text".to_owned(),
        "a sequence" => "a list such as [a, b]".to_owned(),
        "a map" => "a mapping".to_owned(),
        _ if expected.starts_with("struct ") => "a mapping".to_owned(),
        _ if expected.starts_with("enum ") => "one word".to_owned(),
        _ => expected.trim_start_matches("expected ").to_owned(),
    }
}

/// What stands there. No secret is a setting: all of them are in the manifest, too.
fn given(got: &Actual) -> String {
    match got {
        Actual::Bool(value) => value.to_string(),
        Actual::Unsigned(value) => value.to_string(),
        Actual::Signed(value) => value.to_string(),
        Actual::Float(value) => value.to_string(),
        Actual::Char(value) => format!("the text \"{value}\""),
        Actual::Str(text) => format!("the text \"{text}\""),
        Actual::Unit | Actual::Option => "null".to_owned(),
        Actual::Seq => "a list".to_owned(),
        Actual::Map => "a mapping".to_owned(),
        other => other.to_string(),
    }
}

fn one_of(names: &[&str]) -> String {
    match names {
        [name] => format!("`{name}`"),
        _ => {
            let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
            format!("one of {}", names.join(", "))
        }
    }
}
