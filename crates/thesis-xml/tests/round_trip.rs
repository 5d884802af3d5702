//! What is written is read back as it was, and both readers agree on anything.

use proptest::prelude::*;
use thesis_core::{Action, AsOfDate, Indicators, RecordTemplate, Thesis, Ticker};
use thesis_xml::{
    Located, compare_readers, parse_theses, record_from_thesis, render_theses, thesis_from_record,
};

/// Text as it is once white space is tidy: words with one space between them.
fn text() -> impl Strategy<Value = String> {
    let tricky = [
        "&",
        "<",
        ">",
        "\"",
        "'",
        "]]>",
        "</thesis>",
        "<![CDATA[",
        "&amp;",
        "<!--",
        "é",
        "日本",
        "🚀",
    ];
    let word = prop_oneof![
        "[a-zA-Z0-9.,%()+-]{1,8}",
        prop::sample::select(tricky.to_vec()).prop_map(String::from)
    ];
    prop::collection::vec(word, 1..8).prop_map(|words| words.join(" "))
}

fn number() -> impl Strategy<Value = Option<f64>> {
    prop::option::of(prop::num::f64::NORMAL | prop::num::f64::ZERO)
}

prop_compose! {
    fn thesis()(
        ticker in "[A-Z]{1,5}",
        day in 0_i32..20_000,
        indicators in prop::collection::vec((text(), number()), 0..6),
        reasoning in text(),
        support in prop_oneof![Just(String::new()), text()],
        action in 0..5_usize,
        generated_by in prop::option::of(text()),
        version in prop::option::of(text()),
    ) -> Thesis {
        let mut figures = Indicators::default();
        for (name, value) in indicators {
            figures.insert(&name, value);
        }
        let epoch = AsOfDate::parse("1980-01-01").expect("a date");
        Thesis {
            ticker: Ticker::new(&ticker).expect("a ticker"),
            as_of_date: epoch.plus_days(day as u32),
            indicators: figures,
            reasoning,
            support,
            action: Action::ALL[action],
            generated_by,
            version,
        }
    }
}

proptest! {
    #[test]
    fn xml(theses in prop::collection::vec(thesis(), 1..5)) {
        let xml = render_theses(&theses);
        compare_readers(xml.as_bytes());
        let parsed = parse_theses("x", xml.as_bytes(), &Default::default());
        prop_assert_eq!(&parsed.rejects, &vec![]);
        let read: Vec<Thesis> = parsed.theses.into_iter().map(|located| located.thesis).collect();
        prop_assert_eq!(read, theses);
    }

    #[test]
    fn records(thesis in thesis(), line in 1_u64..9) {
        let located = Located { thesis: thesis.clone(), line };
        let record = record_from_thesis(located, "a.xml", 0, &RecordTemplate::default());
        let line = serde_json::to_string(&record).unwrap();
        let back = serde_json::from_str(&line).unwrap();
        prop_assert_eq!(&record, &back);
        prop_assert_eq!(thesis_from_record(&back).unwrap(), thesis);
    }

    #[test]
    fn mutilated(theses in prop::collection::vec(thesis(), 1..3), cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4)) {
        let mut bytes = render_theses(&theses).into_bytes();
        for (at, byte) in cuts {
            let at = at.index(bytes.len());
            if byte % 2 == 0 {
                bytes.remove(at);
            } else {
                bytes[at] = byte;
            }
        }
        compare_readers(&bytes);
        let parsed = parse_theses("x", &bytes, &Default::default());
        prop_assert!(parsed.theses.len() + parsed.rejects.len() >= 1);
    }
}
