use std::error::Error;
use std::fmt;

/// Adds a hint on what to do to an error; it is printed after the chain of causes.
pub trait Hint<T> {
    /// Adds `hint`, a sentence without a capital and without a full stop.
    ///
    /// # Errors
    /// The error it was called on, with the hint.
    fn hint(self, hint: impl fmt::Display) -> anyhow::Result<T>;
}

impl<T, E: Into<anyhow::Error>> Hint<T> for Result<T, E> {
    fn hint(self, hint: impl fmt::Display) -> anyhow::Result<T> {
        self.map_err(|error| {
            anyhow::Error::new(Hinted { hint: hint.to_string(), error: error.into().into() })
        })
    }
}

/// An error with a hint; its message and causes are those of the error.
#[derive(Debug)]
struct Hinted {
    hint: String,
    error: Box<dyn Error + Send + Sync>,
}

impl fmt::Display for Hinted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl Error for Hinted {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}

/// The error as a person reads it: message, causes, a blank line and the hint.
pub fn report(error: &anyhow::Error) -> String {
    let mut text = format!("error: {error}");
    for cause in error.chain().skip(1) {
        text += &format!("\n  caused by: {cause}");
    }
    let hint = error.chain().find_map(|cause| cause.downcast_ref::<Hinted>());
    if let Some(Hinted { hint, .. }) = hint {
        text += &format!("\n\nhint: {hint}");
    }
    text
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[test]
    fn chain_first_then_the_hint() {
        let io = std::io::Error::other("disk on fire");
        let error = Err::<(), _>(io)
            .context("cannot write out.jsonl")
            .hint("put it out")
            .context("stage failed")
            .unwrap_err();
        assert_eq!(
            report(&error),
            "error: stage failed\n  caused by: cannot write out.jsonl\n  caused by: disk on \
             fire\n\nhint: put it out"
        );
        assert_eq!(report(&anyhow::anyhow!("plain")), "error: plain");
    }
}
