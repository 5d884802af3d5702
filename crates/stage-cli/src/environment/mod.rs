mod env_file;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::Path;

use anyhow::bail;

pub(crate) use env_file::EnvFile;

/// The variables that settings and keys come from: those of the process, and behind them those of a
/// file `.env`. Nothing of it is ever printed: values may be secrets.
#[derive(Clone, Default)]
pub(crate) struct Environment {
    process: BTreeMap<OsString, OsString>,
    file: Option<EnvFile>,
}

/// A variable with a value.
#[derive(Clone, Copy)]
pub(crate) struct Variable<'a> {
    pub(crate) name: &'a str,
    pub(crate) value: &'a str,
    /// The file `.env` that has it; otherwise it is the process's own.
    pub(crate) file: Option<&'a Path>,
}

impl Environment {
    /// The variables of this process, and the file `.env` of `folder` or of a folder above it.
    ///
    /// # Errors
    /// A file `.env` that cannot be read or has a faulty line.
    pub(crate) fn of_process(folder: &Path) -> anyhow::Result<Self> {
        Ok(Self { process: std::env::vars_os().collect(), file: EnvFile::find(folder)? })
    }

    /// A variable that is set, and not to nothing. A variable of the process wins over the file's, also
    /// one that is empty.
    ///
    /// # Errors
    /// A value that is not UTF-8.
    pub(crate) fn variable<'a>(&'a self, name: &'a str) -> anyhow::Result<Option<Variable<'a>>> {
        let variable = match (self.process.get(&OsString::from(name)), &self.file) {
            (Some(value), _) => match value.to_str() {
                Some(value) => Variable { name, value, file: None },
                None => bail!("the value of the variable {name} is not UTF-8"),
            },
            (None, Some(EnvFile { path, values })) => match values.get(name) {
                Some(value) => Variable { name, value, file: Some(path) },
                None => return Ok(None),
            },
            (None, None) => return Ok(None),
        };
        Ok((!variable.value.trim().is_empty()).then_some(variable))
    }

    /// The variables whose names begin with `prefix`, by name.
    ///
    /// # Errors
    /// As [`Environment::variable`].
    pub(crate) fn beginning_with(&self, prefix: &str) -> anyhow::Result<Vec<Variable<'_>>> {
        let own = self.process.keys().filter_map(|name| name.to_str());
        let of_file = self.file.iter().flat_map(|file| file.values.keys().map(String::as_str));
        let mut names: Vec<&str> =
            own.chain(of_file).filter(|name| name.starts_with(prefix)).collect();
        names.sort_unstable();
        names.dedup();
        let variables = names.into_iter().map(|name| self.variable(name));
        variables.filter_map(Result::transpose).collect()
    }

    /// Variables of a process and of a `.env`.
    #[cfg(test)]
    pub(crate) fn of(process: &[(&str, &str)], file: &[(&str, &str)]) -> Self {
        let owned = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let process = owned(process).into_iter().map(|(name, value)| (name.into(), value.into()));
        let file = EnvFile { path: "work/.env".into(), values: owned(file) };
        Self { process: process.collect(), file: Some(file) }
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Environment")
    }
}

/// As messages name it; never with its value.
impl fmt::Display for Variable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.file {
            Some(file) => write!(f, "{} in {}", self.name, file.display()),
            None => f.write_str(self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_wins_over_the_file() {
        let own = [("A", "process"), ("EMPTY", ""), ("T_B", "1")];
        let environment =
            Environment::of(&own, &[("A", "file"), ("EMPTY", "file"), ("F", "file"), ("T_A", "2")]);
        let value = |name| environment.variable(name).unwrap().map(|v: Variable<'_>| v.value);
        assert_eq!(value("A"), Some("process"));
        assert_eq!(value("F"), Some("file"));
        assert_eq!((value("EMPTY"), value("NONE")), (None, None));
        let found = environment.beginning_with("T_").unwrap();
        let found: Vec<_> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found, ["T_A in work/.env", "T_B"]);
        assert!(!format!("{environment:?}").contains("process"));
    }

    #[cfg(unix)]
    #[test]
    fn a_value_that_is_no_text() {
        use std::os::unix::ffi::OsStringExt;

        let process = [(OsString::from("A"), OsString::from_vec(vec![0xff]))].into();
        let environment = Environment { process, file: None };
        let fault = environment.variable("A").err().unwrap().to_string();
        assert_eq!(fault, "the value of the variable A is not UTF-8");
    }
}
