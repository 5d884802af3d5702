//! Files made to hurt: each ends in a diagnostic, soon, and without reading anything else.

use thesis_xml::{Parsed, RejectReason, compare_readers, parse_theses};

const GOOD: &str = "<thesis ticker='T'><as-of-date>2023-10-24</as-of-date><reasoning>r</reasoning>\
                    <action>buy</action></thesis>";

fn parse(bytes: impl AsRef<[u8]>) -> Parsed {
    compare_readers(bytes.as_ref());
    parse_theses("t.xml", bytes.as_ref(), &Default::default())
}

fn reasons(parsed: &Parsed) -> Vec<RejectReason> {
    parsed.rejects.iter().map(|reject| reject.reason).collect()
}

#[test]
fn no_xml_at_all_is_one_diagnostic() {
    let wide: Vec<u8> = "no".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for bytes in [
        &b""[..],
        b"PK\x03\x04",
        b"{\"a\": 1}",
        b"<",
        b"<a",
        b"<a></b>",
        &[0; 4096],
        &[0xFF; 99],
        &wide,
    ] {
        let parsed = parse(bytes);
        assert_eq!(reasons(&parsed), [RejectReason::NotXml], "{bytes:?}");
        assert!(parsed.rejects[0].diagnostic.message.contains("no XML"), "{parsed:?}");
    }
}

#[test]
fn deep_nesting_ends() {
    let deep = |n: usize, inside: &str| format!("{}{inside}{}", "<a>".repeat(n), "</a>".repeat(n));
    assert_eq!(parse(deep(60, GOOD)).theses.len(), 1);
    let in_thesis = GOOD.replace("<reasoning>r", &format!("<reasoning>{}", deep(100, "r")));
    assert_eq!(reasons(&parse(format!("<r>{GOOD}{in_thesis}</r>"))), [RejectReason::TooDeep]);
    for n in [1_000, 200_000] {
        let parsed = parse(deep(n, GOOD));
        assert_eq!(parsed.theses.len(), 1, "{n}");
    }
    assert_eq!(reasons(&parse("<a>".repeat(500_000))), [RejectReason::NotXml]);
    assert_eq!(parse("<thesis>".repeat(100_000)).rejects.len(), 100_000);
}

#[test]
fn entities_are_not_expanded_and_nothing_is_fetched() {
    let mut bomb = String::from("<!DOCTYPE r [<!ENTITY e0 \"ha\">");
    for level in 1..12 {
        bomb += &format!("<!ENTITY e{level} \"{}\">", format!("&e{};", level - 1).repeat(10));
    }
    let bomb = format!("{bomb}]><r>{GOOD}{}</r>", GOOD.replace(">r<", ">&e11;<"));
    let parsed = parse(bomb);
    assert_eq!((parsed.theses.len(), reasons(&parsed)), (1, vec![RejectReason::Malformed]));
    let message = &parsed.rejects[0].diagnostic.message;
    assert!(message.contains("unknown entity reference 'e11'"), "{message}");

    let secret = std::env::current_exe().unwrap();
    let external = format!(
        "<!DOCTYPE r [<!ENTITY x SYSTEM \"file://{}\">]><r>{}</r>",
        secret.display(),
        GOOD.replace(">r<", ">&x;<")
    );
    assert_eq!(reasons(&parse(external)), [RejectReason::Malformed]);
}

#[test]
fn control_characters_spoil_only_their_thesis() {
    for bad in ["\0", "\u{1}", "\u{FFFE}", "&#0;", "&#x1F;", "&#xFFFF;", "&nbsp;", "&#;", "]]>"] {
        let parsed = parse(format!("<r>{GOOD}{}</r>", GOOD.replace(">r<", &format!(">r{bad}<"))));
        assert_eq!(
            (parsed.theses.len(), reasons(&parsed)),
            (1, vec![RejectReason::Malformed]),
            "{bad:?}"
        );
    }
}

#[test]
fn bytes_that_are_no_text_spoil_only_their_thesis() {
    let xml = [&b"<r>"[..], GOOD.as_bytes(), GOOD.replace(">r<", ">r\u{1a}<").as_bytes(), b"</r>"]
        .concat();
    let xml: Vec<u8> = xml.into_iter().map(|b| if b == 0x1a { 0xE9 } else { b }).collect();
    let parsed = parse(xml);
    assert_eq!((parsed.theses.len(), reasons(&parsed)), (1, vec![RejectReason::Malformed]));
    assert!(parsed.diagnostics[0].message.contains("no UTF-8 text"), "{parsed:?}");
}

#[test]
fn every_truncation_keeps_what_was_whole() {
    let xml = format!("<stock-theses ticker='T'>\n{GOOD}\n{GOOD}</stock-theses>");
    for len in 0..xml.len() {
        let parsed = parse(&xml[..len]);
        let whole = xml[..len].matches("</thesis>").count();
        assert_eq!(parsed.theses.len(), whole, "{len}");
        assert!(!parsed.rejects.is_empty() || !parsed.diagnostics.is_empty(), "{len}");
    }
}

#[test]
fn tags_inside_comments_and_character_data_are_text() {
    let text = "<!-- <thesis> --><![CDATA[</thesis><thesis>]]>";
    let xml = format!("<r>{}\n<broken", GOOD.replace(">r<", &format!(">r{text}<")));
    let parsed = parse(xml);
    assert_eq!(parsed.theses.len(), 1);
    assert_eq!(parsed.theses[0].thesis.reasoning, "r</thesis><thesis>");
}
