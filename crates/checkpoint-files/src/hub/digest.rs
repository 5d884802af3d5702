use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use sha1::Sha1;
use sha2::{Digest, Sha256};

/// What the hub says a file's content is, in lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expected {
    /// Large files.
    Sha256(String),
    /// Small ones: SHA-1 of `blob LENGTH\0` and the content, as git names it.
    GitSha1(String),
}

impl Expected {
    /// The digest in an `ETag`: quoted, perhaps marked weak. `None` for tags that are no digest.
    pub(super) fn from_etag(etag: &str) -> Option<Self> {
        let tag = etag.trim().trim_start_matches("W/").trim_matches('"').to_ascii_lowercase();
        if !tag.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        match tag.len() {
            64 => Some(Self::Sha256(tag)),
            40 => Some(Self::GitSha1(tag)),
            _ => None,
        }
    }

    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Sha256(_) => "SHA-256",
            Self::GitSha1(_) => "git SHA-1",
        }
    }

    pub(super) fn hex(&self) -> &str {
        match self {
            Self::Sha256(hex) | Self::GitSha1(hex) => hex,
        }
    }

    /// The same digest of a file's content.
    pub(super) fn of_file(&self, path: &Path) -> io::Result<String> {
        let mut file = File::open(path)?;
        match self {
            Self::Sha256(_) => digest(Sha256::new(), &mut file),
            Self::GitSha1(_) => {
                let begin = format!("blob {}\0", file.metadata()?.len());
                digest(Sha1::new().chain_update(begin), &mut file)
            }
        }
    }
}

fn digest(mut hasher: impl Digest, file: &mut File) -> io::Result<String> {
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            n => hasher.update(&buffer[..n]),
        }
    }
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_and_contents() {
        let sha1 = "ce013625030ba8dba906f756967f9e9ca394464a";
        let sha256 = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hello");
        std::fs::write(&path, "hello\n").unwrap();
        // As `git hash-object` and `sha256sum` say.
        for hex in [sha1, sha256] {
            for tag in [format!("\"{hex}\""), format!("W/\"{hex}\""), hex.to_uppercase()] {
                let expected = Expected::from_etag(&tag).unwrap();
                assert_eq!(expected.hex(), hex);
                assert_eq!(expected.of_file(&path).unwrap(), hex);
            }
        }
        for tag in ["", "\"abc\"", "\"d41d8cd98f00b204e9800998ecf8427e\"", &"g".repeat(40)] {
            assert_eq!(Expected::from_etag(tag), None, "{tag}");
        }
    }
}
