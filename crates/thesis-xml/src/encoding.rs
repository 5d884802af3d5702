use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// A file's text.
#[derive(Debug)]
pub(crate) struct Decoded<'a> {
    pub(crate) text: Cow<'a, str>,
    /// Some bytes were no text; U+FFFD stands for them.
    pub(crate) damaged: bool,
    pub(crate) encoding: &'static str,
}

/// Decodes XML by its byte order mark, else by its first bytes, else by its declaration, else as
/// UTF-8.
///
/// # Errors
/// The name that the declaration gives, where no such encoding is known.
pub(crate) fn decode(bytes: &[u8]) -> Result<Decoded<'_>, String> {
    let (encoding, bom) = match Encoding::for_bom(bytes) {
        Some(found) => found,
        None => (guess(bytes)?, 0),
    };
    let (text, damaged) = encoding.decode_without_bom_handling(&bytes[bom..]);
    Ok(Decoded { text, damaged, encoding: encoding.name() })
}

fn guess(bytes: &[u8]) -> Result<&'static Encoding, String> {
    match bytes {
        [b'<', 0, ..] => return Ok(UTF_16LE),
        [0, b'<', ..] => return Ok(UTF_16BE),
        _ => {}
    }
    let Some(label) = declared(&bytes[..bytes.len().min(256)]) else { return Ok(UTF_8) };
    let encoding =
        Encoding::for_label(label).ok_or_else(|| String::from_utf8_lossy(label).into_owned())?;
    // One that calls itself UTF-16 in bytes that read as ASCII is not UTF-16.
    Ok(if [UTF_16LE, UTF_16BE].contains(&encoding) { UTF_8 } else { encoding })
}

/// The value of `encoding` in an XML declaration.
fn declared(head: &[u8]) -> Option<&[u8]> {
    let end = memchr::memmem::find(head, b"?>")?;
    let declaration = head.strip_prefix(b"<?xml").map(|_| &head[..end])?;
    let at = memchr::memmem::find(declaration, b"encoding")? + b"encoding".len();
    let value = declaration[at..].trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let (quote, value) = value.split_first().filter(|(q, _)| matches!(q, b'"' | b'\''))?;
    Some(&value[..memchr::memchr(*quote, value)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_that_desks_export() {
        let check = |bytes: &[u8], want: &str| {
            let decoded = decode(bytes).unwrap();
            assert_eq!((&*decoded.text, decoded.damaged), (want, false), "{}", decoded.encoding);
        };
        check("<a>é</a>".as_bytes(), "<a>é</a>");
        check("\u{feff}<a>é</a>".as_bytes(), "<a>é</a>");
        let wide = |text: &str, to: fn(u16) -> [u8; 2]| -> Vec<u8> {
            text.encode_utf16().flat_map(to).collect()
        };
        for text in ["\u{feff}<a>é</a>", "<a>é</a>"] {
            check(&wide(text, u16::to_le_bytes), "<a>é</a>");
            check(&wide(text, u16::to_be_bytes), "<a>é</a>");
        }
        let latin = b"<?xml version='1.0' encoding = 'ISO-8859-1'?><a>\xE9</a>";
        check(latin, "<?xml version='1.0' encoding = 'ISO-8859-1'?><a>é</a>");
        let wrong = "<?xml version=\"1.0\" encoding=\"UTF-16\"?><a/>";
        check(wrong.as_bytes(), wrong);
    }

    #[test]
    fn what_is_no_text_is_marked() {
        assert!(decode(b"<a>\xE9</a>").unwrap().damaged);
        assert!(decode(b"\xFF\xFE<\0a").unwrap().damaged);
        assert_eq!(decode(b"<?xml encoding=\"klingon\"?>").unwrap_err(), "klingon");
        assert_eq!(decode(b"").unwrap().text, "");
    }
}
