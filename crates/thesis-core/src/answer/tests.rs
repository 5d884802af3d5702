use proptest::prelude::*;

use super::*;

#[test]
fn what_can_be_read_is_read() {
    use AnswerOutcome::*;
    let check = |text: &str, outcome: AnswerOutcome, action: Option<(Action, &str)>| {
        let parsed = parse_answer(text);
        let named = parsed.action.zip(parsed.action_at.map(|at| &text[at]));
        assert_eq!((parsed.outcome, named), (outcome, action), "{text}");
    };
    let good = "<reasoning>a</reasoning><support>b</support>";
    let buy = |word| Some((Action::Buy, word));
    check(&format!("{good}<action> BUY </action>"), Valid, buy("BUY"));
    check(&format!("{good}\n<action><BUY></action>\n"), Valid, buy("<BUY>"));
    check(&format!("{good}<action>overweight</action>"), Valid, buy("overweight"));
    check(&format!("Sure: {good}<action>BUY</action>"), TextOutside, buy("BUY"));
    check(&format!("{good}<action>BUY</action> SELL"), TextOutside, buy("BUY"));
    check(&format!("<action>BUY</action>{good}"), TagOrder, buy("BUY"));
    check("<reasoning>a</reasoning><action>BUY</action>", MissingTag, buy("BUY"));
    check(&format!("{good}BUY</action>"), MissingTag, buy("BUY"));
    check("BUY</action>", MissingTag, buy("BUY"));
    check(&format!("{good}<action>BUY"), UnclosedTag, buy("BUY"));
    check(&format!("{good}<action>BUY\nI think so, but HOLD is near"), UnclosedTag, buy("BUY"));
    check("<reasoning>a<support>b</support><action>BUY</action>", UnclosedTag, buy("BUY"));
    check(&format!("{good}{good}<action>BUY</action>"), DoubledTag, buy("BUY"));
    check(&format!("{good}<action>BUY</action><action>buy</action>"), DoubledTag, buy("BUY"));
    check(&format!("{good}<action><action>BUY</action>"), DoubledTag, buy("BUY"));
    check(&format!("{good}<action>BUY</action><action>SELL</action>"), AmbiguousAction, None);
    check(&format!("{good}<action>I would buy here</action>"), ActionInProse, buy("buy"));
    check(&format!("{good}<action>buy or sell</action>"), AmbiguousAction, None);
    check(&format!("{good}<action>moon</action>"), UnknownAction, None);
    check(&format!("{good}<action> </action>"), NoAction, None);
    check(good, NoAction, None);
    check("", Empty, None);
    check(" \n\t", Empty, None);
    check("no idea", NoAction, None);
}

#[test]
fn actions_in_prose() {
    use Action::*;
    let check = |text: &str, want: Option<(Action, &str)>| {
        let parsed = parse_answer(text);
        let outcome = match want {
            Some(_) => AnswerOutcome::ActionInProse,
            None => AnswerOutcome::AmbiguousAction,
        };
        let named = parsed.action.zip(parsed.action_at.map(|at| &text[at]));
        assert_eq!((named, parsed.outcome), (want, outcome), "{text}");
    };
    check("I say strong buy.", Some((StrongBuy, "strong buy")));
    check("A Strong-Sell, in short", Some((StrongSell, "Strong-Sell")));
    check("**Action:** Strong  -\tBuy.", Some((StrongBuy, "Strong  -\tBuy")));
    check("{\"action\": \"SELL\"}, others say BUY", Some((Sell, "SELL")));
    check("<ACTION>BUY</ACTION>", Some((Buy, "BUY")));
    check("STRONG_SELL", Some((StrongSell, "STRONG_SELL")));
    check("We buy, and buy again", Some((Buy, "buy")));
    check("Do not hold it: SELL", Some((Sell, "SELL")));
    check("You may BUY or SELL. Action: hold", Some((Hold, "hold")));
    check("My recommendation is a strong buy, do not SELL", Some((StrongBuy, "strong buy")));
    check("the answer is <HOLD>", Some((Hold, "<HOLD>")));
    check("buy or sell", None);
    check("Rating: BUY. Rating: SELL", None);
    // What the reasoning talks about is no call, unless it never ends.
    check(
        "<reasoning>Others SELL</reasoning><support>they sell</support>hold",
        Some((Hold, "hold")),
    );
    check("<reasoning>so I BUY", Some((Buy, "BUY")));
    assert_eq!(parse_answer("holds, buyer, SELLER, 買い").outcome, AnswerOutcome::NoAction);
}

#[test]
fn parts_are_read_to_the_next_tag() {
    let check = |text: &str, reasoning: Option<&str>, support: Option<&str>| {
        let parsed = parse_answer(text);
        let found = (parsed.reasoning.as_deref(), parsed.support.as_deref());
        assert_eq!(found, (reasoning, support), "{text}");
    };
    check("<reasoning>a &lt;BUY> <support>b", Some("a <BUY> "), Some("b"));
    check("<support>b</support>", None, Some("b"));
    check("a</reasoning>", None, None);
    check("<reasoning></reasoning>", Some(""), None);
}

#[test]
fn names_are_those_of_serde() {
    for outcome in AnswerOutcome::ALL {
        assert_eq!(serde_json::to_string(&outcome).unwrap(), format!("\"{outcome}\""));
        assert!(!outcome.meaning().is_empty());
    }
    assert!(AnswerOutcome::ALL.is_sorted());
}

proptest! {
    #[test]
    fn valid_exactly_where_the_grammar_is_kept(text in answers()) {
        let parsed = parse_answer(&text);
        match Completion::parse(&text) {
            Ok(completion) => {
                prop_assert_eq!(parsed.outcome, AnswerOutcome::Valid);
                prop_assert_eq!(parsed.reasoning, Some(completion.reasoning));
                prop_assert_eq!(parsed.support, Some(completion.support));
                prop_assert_eq!(parsed.action, Some(completion.action));
            }
            Err(_) => prop_assert_ne!(parsed.outcome, AnswerOutcome::Valid),
        }
        prop_assert_eq!(parsed.action.is_some(), parsed.outcome <= AnswerOutcome::ActionInProse);
        prop_assert_eq!(parsed.action.is_some(), parsed.action_at.is_some());
        if let Some(at) = parsed.action_at {
            let named = text[at].trim_matches(['<', '>']).parse();
            prop_assert_eq!(named.ok(), parsed.action);
        }
    }
}

/// Pieces of answers in any order, and whole ones with a piece more or less.
fn answers() -> impl Strategy<Value = String> {
    let mut pieces: Vec<String> =
        ["<", " ", "\n", "BUY", "strong", "sell", "Action:", "é", "x"].map(String::from).into();
    pieces.extend(StructureTag::tokens().map(String::from));
    let piece = prop::sample::select(pieces);
    let whole = "<reasoning>|a|</reasoning>|<support>|</support>|<action>|BUY|</action>";
    let whole: Vec<String> = whole.split('|').map(String::from).collect();
    prop_oneof![
        prop::collection::vec(piece.clone(), 0..10).prop_map(|pieces| pieces.concat()),
        (0..9_usize, piece, 0..3_usize).prop_map(move |(at, piece, kind)| {
            let mut text = whole.clone();
            match kind {
                0 => text.insert(at.min(text.len()), piece),
                1 if at < text.len() => drop(text.remove(at)),
                _ => {}
            }
            text.concat()
        }),
    ]
}
