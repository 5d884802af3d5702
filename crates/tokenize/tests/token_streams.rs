//! Text that comes out of ids piece by piece.

use std::path::Path;
use std::sync::LazyLock;

use proptest::prelude::*;
use tokenize::{
    Detokenizer, ModelFiles, PromptFormat, PromptOptions, SpecialTokens, StopMatch, StopStrings,
    TokenizeError, token_bytes,
};
use tokenizers::Tokenizer;

const TOKENIZERS: [&str; 3] = ["byte-level", "bpe", "metaspace"];

/// Each tokenizer with its detokenizer, made once for all random cases.
static ALL: LazyLock<Vec<(Tokenizer, Detokenizer)>> = LazyLock::new(|| {
    let with_detokenizer = |name: &&str| {
        let tokenizer = tokenizer(name);
        let detokenizer = Detokenizer::new(&tokenizer).expect("a known decoder");
        (tokenizer, detokenizer)
    };
    TOKENIZERS.iter().map(with_detokenizer).collect()
});

fn tokenizer(name: &str) -> Tokenizer {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/tokenizers").join(name);
    let files = ModelFiles::read(&folder).expect("the files are there");
    let format = PromptFormat::new(&files, &PromptOptions::default()).expect("a sound fixture");
    format.tokenizer().clone()
}

fn streamed(detokenizer: &Detokenizer, ids: &[u32], special: SpecialTokens) -> String {
    let mut stream = detokenizer.stream(special);
    let mut text = String::new();
    for id in ids {
        text.push_str(stream.push(*id));
    }
    text + stream.finish()
}

#[test]
fn the_bytes_of_a_token_are_what_it_decodes_to() {
    for name in TOKENIZERS {
        let tokenizer = tokenizer(name);
        let bytes = token_bytes(&tokenizer).unwrap();
        assert_eq!(bytes.len(), tokenizer.get_vocab_size(true), "{name}");
        let added = tokenizer.get_added_tokens_decoder();
        let anchor = tokenizer.token_to_id("<action>").unwrap();
        for (id, bytes) in bytes.iter().enumerate() {
            let id = id as u32;
            let special = added.get(&id).is_some_and(|token| token.special);
            assert_eq!(bytes.is_none(), special, "{name} {id}");
            let Some(bytes) = bytes else { continue };
            // After another token, so that no space is taken off.
            let decoded = tokenizer.decode(&[anchor, id], false).unwrap();
            assert_eq!(format!("<action>{}", String::from_utf8_lossy(bytes)), decoded, "{name}");
        }
    }
    let single = |name: &str, token: &str| {
        let tokenizer = tokenizer(name);
        token_bytes(&tokenizer).unwrap()[tokenizer.token_to_id(token).unwrap() as usize].clone()
    };
    assert_eq!(single("bpe", "Ġ"), Some(vec![b' ']));
    assert_eq!(single("bpe", "Ń"), Some(vec![0xAD]));
    assert_eq!(single("metaspace", "<0xAB>"), Some(vec![0xAB]));
    assert_eq!(single("metaspace", "▁"), Some(vec![b' ']));
    assert_eq!(single("bpe", "<BUY>"), Some(b"<BUY>".to_vec()));
    assert_eq!(single("bpe", "<|im_end|>"), None);
}

#[test]
fn every_byte_of_a_byte_level_tokenizer_is_there_once() {
    let tokenizer = tokenizer("byte-level");
    let bytes = token_bytes(&tokenizer).unwrap();
    let mut single: Vec<u8> =
        bytes.into_iter().flatten().filter(|b| b.len() == 1).flatten().collect();
    single.sort_unstable();
    assert_eq!(single, (0..=255).collect::<Vec<u8>>());
}

#[test]
fn other_decoders_are_refused() {
    let text = r###"{"version":"1.0","added_tokens":[],"decoder":{"type":"WordPiece","prefix":"##","cleanup":true},
        "model":{"type":"BPE","vocab":{"a":0},"merges":[]}}"###;
    let tokenizer = Tokenizer::from_bytes(text).unwrap();
    let error = token_bytes(&tokenizer).unwrap_err();
    assert!(
        matches!(&error, TokenizeError::DecoderStep { step } if step == "WordPiece"),
        "{error}"
    );
}

#[test]
fn a_character_comes_when_it_is_whole() {
    let tokenizer = tokenizer("byte-level");
    let detokenizer = Detokenizer::new(&tokenizer).unwrap();
    let mut stream = detokenizer.stream(SpecialTokens::Skip);
    let ids = tokenizer.encode_fast("a🚀", false).unwrap().get_ids().to_vec();
    let pieces: Vec<_> = ids.iter().map(|id| stream.push(*id).to_owned()).collect();
    assert_eq!(pieces, ["a", "", "", "", "🚀"]);
    assert_eq!(stream.push(ids[1]), "");
    assert_eq!(stream.push(9_999_999), "");
    assert_eq!(stream.finish(), "\u{FFFD}");
    assert_eq!(stream.finish(), "");
    let special = tokenizer.token_to_id("<|im_end|>").unwrap();
    assert_eq!(detokenizer.stream(SpecialTokens::Skip).push(special), "");
    assert_eq!(detokenizer.stream(SpecialTokens::Keep).push(special), "<|im_end|>");
}

/// Where a text stops, byte by byte: the first end of any stop string, the longest one there.
fn first_stop<'a>(text: &str, stops: &'a [String]) -> Option<(usize, &'a str)> {
    (0..=text.len()).find_map(|end| {
        let here = stops.iter().filter(|stop| text.as_bytes()[..end].ends_with(stop.as_bytes()));
        here.max_by_key(|stop| stop.len()).map(|stop| (end - stop.len(), stop.as_str()))
    })
}

#[test]
fn stop_strings_cut_at_their_first_occurrence() {
    let check = |stops: &[&str], pieces: &[&str], want: &[(&str, Option<&str>)], rest: &str| {
        let stops = StopStrings::new(stops.iter().map(|stop| (*stop).to_owned())).unwrap();
        let mut matcher = stops.matcher();
        for (piece, (text, stop)) in pieces.iter().zip(want) {
            assert_eq!(matcher.push(piece), StopMatch { text, stop: *stop }, "{pieces:?}");
        }
        assert_eq!(matcher.finish(), rest, "{pieces:?}");
        assert_eq!(matcher.is_stopped(), want.iter().any(|(_, stop)| stop.is_some()));
    };
    check(
        &["\n\n"],
        &["a", "\n", "b", "\n", "\nc", "d"],
        &[("a", None), ("", None), ("\nb", None), ("", None), ("", Some("\n\n")), ("", None)],
        "",
    );
    check(
        &["END"],
        &["xE", "N", "x", "E"],
        &[("x", None), ("", None), ("ENx", None), ("", None)],
        "E",
    );
    check(&["abcd", "bc"], &["abcd"], &[("a", Some("bc"))], "");
    check(&["bc", "abc"], &["xabc"], &[("x", Some("abc"))], "");
    check(&["éa"], &["é", "é", "a"], &[("", None), ("é", None), ("", Some("éa"))], "");
    check(&[], &["a"], &[("a", None)], "");
    assert!(matches!(StopStrings::new([String::new()]), Err(TokenizeError::EmptyStopString)));
}

proptest! {
    #[test]
    fn pieces_together_are_the_whole(ids in prop::collection::vec(0..1_100_u32, 0..40)) {
        // Byte fallback counts broken characters in its own way, so the third is left out.
        for (tokenizer, detokenizer) in &ALL[..2] {
            for (special, skip) in [(SpecialTokens::Skip, true), (SpecialTokens::Keep, false)] {
                let whole = tokenizer.decode(&ids, skip).unwrap();
                prop_assert_eq!(streamed(detokenizer, &ids, special), whole);
            }
        }
    }

    #[test]
    fn pieces_of_texts_together_are_the_whole(text in "[ a-zé株🚀\\n<>]{0,30}") {
        for (tokenizer, detokenizer) in &*ALL {
            let ids = tokenizer.encode_fast(text.as_str(), true).unwrap().get_ids().to_vec();
            for (special, skip) in [(SpecialTokens::Skip, true), (SpecialTokens::Keep, false)] {
                let whole = tokenizer.decode(&ids, skip).unwrap();
                prop_assert_eq!(streamed(detokenizer, &ids, special), whole);
            }
        }
    }

    #[test]
    fn stops_do_not_depend_on_how_a_text_is_cut(
        text in "[abé]{0,24}",
        stops in prop::collection::vec("[abé]{1,4}", 0..4),
        cuts in prop::collection::vec(0..24_usize, 0..8),
    ) {
        let chars: Vec<char> = text.chars().collect();
        let mut at: Vec<usize> = cuts.into_iter().map(|cut| cut.min(chars.len())).collect();
        at.extend([0, chars.len()]);
        at.sort_unstable();
        let mut matcher = StopStrings::new(stops.clone()).unwrap().matcher();
        let (mut got, mut stop) = (String::new(), None);
        for ends in at.windows(2) {
            let piece: String = chars[ends[0]..ends[1]].iter().collect();
            let found = matcher.push(&piece);
            got.push_str(found.text);
            stop = stop.or(found.stop.map(str::to_owned));
        }
        got.push_str(matcher.finish());
        let want = first_stop(&text, &stops);
        let before = want.map_or(text.as_str(), |(start, _)| &text[..start]);
        prop_assert_eq!(got.as_str(), before);
        prop_assert_eq!(stop.as_deref(), want.map(|(_, stop)| stop));
    }
}
