use std::fmt;
use std::str::FromStr;

use super::HubError;

/// `hub:ORG/NAME@REVISION`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelName {
    owner: String,
    name: String,
    revision: String,
}

impl ModelName {
    /// The user or organization.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// The name within [`Self::owner`].
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A commit, branch or tag.
    pub fn revision(&self) -> &str {
        &self.revision
    }

    /// The revision, where it is a full commit, that never changes.
    pub fn commit(&self) -> Option<&str> {
        is_commit(&self.revision).then_some(self.revision.as_str())
    }

    /// The same model at this revision.
    pub(super) fn at(&self, revision: &str) -> Self {
        Self { revision: revision.to_owned(), ..self.clone() }
    }
}

/// Whether a text is a full commit: 40 hexadecimal digits, in lower case.
pub(super) fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

impl FromStr for ModelName {
    type Err = HubError;

    fn from_str(text: &str) -> Result<Self, HubError> {
        let wrong = |reason| HubError::Name { name: text.escape_debug().to_string(), reason };
        let rest =
            text.strip_prefix("hub:").ok_or_else(|| wrong("it does not begin with `hub:`"))?;
        let (model, revision) = match rest.split_once('@') {
            Some((model, revision)) => (model, Some(revision)),
            None => (rest, None),
        };
        let (owner, name) = model.split_once('/').ok_or_else(|| wrong("there is no `ORG/NAME`"))?;
        if !is_part(owner) || !is_part(name) {
            return Err(wrong("parts of a name have letters, digits, `-`, `_` and `.` only"));
        }
        let Some(revision) = revision.filter(|revision| !revision.is_empty()) else {
            return Err(HubError::NoRevision { model: model.to_owned() });
        };
        if !is_revision(revision) {
            return Err(wrong("its revision can be no commit, branch or tag"));
        }
        let [owner, name, revision] = [owner, name, revision].map(str::to_owned);
        Ok(Self { owner, name, revision })
    }
}

impl fmt::Display for ModelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "hub:{}/{}@{}", self.owner, self.name, self.revision)
    }
}

/// The hub's rules; `--` stands between the parts in the name of a folder.
fn is_part(part: &str) -> bool {
    !part.is_empty()
        && part.len() <= 96
        && !part.starts_with(['.', '-'])
        && !part.ends_with(['.', '-'])
        && !part.contains("--")
        && !part.contains("..")
        && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// A safe part of what git allows.
fn is_revision(revision: &str) -> bool {
    revision.len() <= 200
        && !revision.contains("..")
        && revision.split('/').all(|part| !part.is_empty() && !part.starts_with('.'))
        && revision.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./+".contains(&byte))
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn names_and_what_is_wrong_with_them() {
        let lines = [
            "hub:HuggingFaceTB/SmolLM2-135M@12fd25f77366fa6b3b4b768ec3050bf629380bac",
            "hub:a/b@main",
            "hub:a/b@refs/pr/1",
            "hub:a/b",
            "hub:a/b@",
            "a/b@main",
            "hub:gpt2@main",
            "hub:a/b/c@main",
            "hub:../b@main",
            "hub:a/b--c@main",
            "hub:a/.b@main",
            "hub:a/b?x@main",
            "hub:a/b@../../x",
            "hub:a/b@x y",
            "hub:a/b@x\r\nHost: y",
            "hub:a/b@main@main",
        ]
        .map(|text| match text.parse::<ModelName>() {
            Ok(name) => format!("{name}, commit {:?}\n", name.commit()),
            Err(error) => format!("{error}\n"),
        });
        expect![[r#"
            hub:HuggingFaceTB/SmolLM2-135M@12fd25f77366fa6b3b4b768ec3050bf629380bac, commit Some("12fd25f77366fa6b3b4b768ec3050bf629380bac")
            hub:a/b@main, commit None
            hub:a/b@refs/pr/1, commit None
            hub:a/b names no revision: a model may change under its name, so that a run with it could not be repeated; name a commit, as the model's page lists them, or a branch such as `hub:a/b@main`, whose commit is then reported
            hub:a/b names no revision: a model may change under its name, so that a run with it could not be repeated; name a commit, as the model's page lists them, or a branch such as `hub:a/b@main`, whose commit is then reported
            `a/b@main` is no model of a hub, which are named hub:ORG/NAME@REVISION: it does not begin with `hub:`
            `hub:gpt2@main` is no model of a hub, which are named hub:ORG/NAME@REVISION: there is no `ORG/NAME`
            `hub:a/b/c@main` is no model of a hub, which are named hub:ORG/NAME@REVISION: parts of a name have letters, digits, `-`, `_` and `.` only
            `hub:../b@main` is no model of a hub, which are named hub:ORG/NAME@REVISION: parts of a name have letters, digits, `-`, `_` and `.` only
            `hub:a/b--c@main` is no model of a hub, which are named hub:ORG/NAME@REVISION: parts of a name have letters, digits, `-`, `_` and `.` only
            `hub:a/.b@main` is no model of a hub, which are named hub:ORG/NAME@REVISION: parts of a name have letters, digits, `-`, `_` and `.` only
            `hub:a/b?x@main` is no model of a hub, which are named hub:ORG/NAME@REVISION: parts of a name have letters, digits, `-`, `_` and `.` only
            `hub:a/b@../../x` is no model of a hub, which are named hub:ORG/NAME@REVISION: its revision can be no commit, branch or tag
            `hub:a/b@x y` is no model of a hub, which are named hub:ORG/NAME@REVISION: its revision can be no commit, branch or tag
            `hub:a/b@x\r\nHost: y` is no model of a hub, which are named hub:ORG/NAME@REVISION: its revision can be no commit, branch or tag
            `hub:a/b@main@main` is no model of a hub, which are named hub:ORG/NAME@REVISION: its revision can be no commit, branch or tag
        "#]].assert_eq(&lines.concat());
    }
}
