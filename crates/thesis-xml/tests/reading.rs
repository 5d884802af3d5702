//! What is read from well-formed files, and what is refused with which words.

use expect_test::{Expect, expect};
use thesis_core::{AsOfDate, DateOrder, Thesis};
use thesis_xml::{ParseOptions, parse_theses};

const GOOD: &str = "<thesis><as-of-date>2023-10-24</as-of-date><reasoning>r</reasoning>\
                    <action>buy</action></thesis>";

fn theses(xml: &str) -> Vec<Thesis> {
    let parsed = parse_theses("t.xml", xml.as_bytes(), &ParseOptions::default());
    assert_eq!((parsed.rejects, parsed.diagnostics), (vec![], vec![]), "{xml}");
    parsed.theses.into_iter().map(|located| located.thesis).collect()
}

fn one(xml: &str) -> Thesis {
    let mut theses = theses(xml);
    assert_eq!(theses.len(), 1);
    theses.remove(0)
}

/// All that is said about a file, a line each, and how many theses were kept.
fn check(xml: &str, options: ParseOptions, want: Expect) {
    let parsed = parse_theses("t.xml", xml.as_bytes(), &options);
    let mut said = format!("{} kept\n", parsed.theses.len());
    for reject in &parsed.rejects {
        said += &format!("[{}] {}\n", reject.reason, reject.diagnostic);
    }
    for diagnostic in &parsed.diagnostics {
        said += &format!("{diagnostic}\n");
    }
    want.assert_eq(&said);
}

/// The same for a thesis with `body` in a file of ticker `T`, beside a good one.
fn check_body(body: &str, want: Expect) {
    let xml = format!("<stock-theses ticker='T'>\n<thesis>{body}</thesis>\n{GOOD}</stock-theses>");
    check(&xml, ParseOptions::default(), want);
}

#[test]
fn the_documented_form() {
    let thesis = one(r#"<?xml version="1.0" encoding="UTF-8"?>
<stock-theses ticker="TSLA" generated-by="Trainer-Charlie" version="1.0">
  <thesis>
    <as-of-date>2023-10-24</as-of-date>
    <indicators><indicator name="RSI(14)">nan</indicator><indicator name="SMA(20)">"243.10"</indicator></indicators>
    <reasoning>
      Price is <![CDATA[<below>]]> its average &amp; falling.
      It may fall on.

      Or not.
    </reasoning>
    <support><point>one</point> <point> two </point><point/></support> <action>Strong Sell</action>
  </thesis>
</stock-theses>"#);
    expect![[r#"
        Thesis {
            ticker: Ticker(
                "TSLA",
            ),
            as_of_date: AsOfDate(
                2023-10-24,
            ),
            indicators: {
                "RSI(14)": None,
                "SMA(20)": Some(
                    243.1,
                ),
            },
            reasoning: "Price is <below> its average & falling. It may fall on.\n\nOr not.",
            support: "one | two",
            action: StrongSell,
            generated_by: Some(
                "Trainer-Charlie",
            ),
            version: Some(
                "1.0",
            ),
        }
    "#]]
    .assert_debug_eq(&thesis);
}

#[test]
fn the_nearest_ticker_wins() {
    let body = "<as-of-date>20231024</as-of-date><reasoning>r</reasoning><action>buy</action>";
    let ticker = |xml: String| one(&xml).ticker.to_string();
    assert_eq!(
        ticker(format!("<stock-theses ticker='a'><thesis>{body}</thesis></stock-theses>")),
        "A"
    );
    assert_eq!(
        ticker(format!(
            "<stock-theses ticker='a'><thesis ticker='b'>{body}</thesis></stock-theses>"
        )),
        "B"
    );
    assert_eq!(ticker(format!("<x ticker='a'><y ticker='d'><thesis>{body}</thesis></y></x>")), "D");
    let child = format!("<thesis ticker='b'><ticker>c</ticker>{body}</thesis>");
    assert_eq!(ticker(format!("<stock-theses ticker='a'>{child}</stock-theses>")), "C");
    assert_eq!(ticker(child), "C");
}

#[test]
fn indicators_in_three_spellings() {
    let xml = format!(
        "<stock-theses ticker='T'>{}</stock-theses>",
        GOOD.replace(
            "<reasoning>",
            "<indicators beta='1.5'><rsi-14>N/A</rsi-14><macd name='ignored'> -2 </macd>\
             <indicator name='P/E' value='1,234.5'/><indicator name='yield'>2.5%</indicator></indicators><reasoning>"
        )
    );
    let thesis = one(&xml);
    let indicators: Vec<_> = thesis.indicators.iter().collect();
    assert_eq!(
        indicators,
        [
            ("beta", Some(1.5)),
            ("rsi-14", None),
            ("macd", Some(-2.0)),
            ("P/E", Some(1234.5)),
            ("yield", Some(0.025))
        ]
    );
}

#[test]
fn each_fault_is_told_with_its_place() {
    check_body(
        "<as-of-date>2023-10-24</as-of-date><reasoning>r</reasoning>",
        expect![[r#"
        1 kept
        [no_action] t.xml:2:1: error: no action: <action> is missing or empty
    "#]],
    );
    check_body(
        "<reasoning>r</reasoning><action>buy</action>",
        expect![[r#"
        1 kept
        [no_date] t.xml:2:1: error: no date: <as-of-date> is missing or empty
    "#]],
    );
    check_body(
        "<as-of-date>2023-02-30</as-of-date><reasoning>r</reasoning><action>buy</action>",
        expect![[r#"
        1 kept
        [bad_date] t.xml:2:9: error: `2023-02-30` is not a date: no calendar has this day
    "#]],
    );
    check_body(
        "<as-of-date>03/04/2023</as-of-date><reasoning>r</reasoning><action>buy</action>",
        expect![[r#"
        1 kept
        [bad_date] t.xml:2:9: error: `03/04/2023` is not a date: day and month could be swapped; write it as YYYY-MM-DD, or set the date order
    "#]],
    );
    check_body(
        "<as-of-date>2023-10-24</as-of-date><reasoning> <![CDATA[ ]]> </reasoning><action>buy</action>",
        expect![[r#"
        1 kept
        [empty_reasoning] t.xml:2:44: error: no reasons: <reasoning> is missing or empty
    "#]],
    );
    check_body(
        "<as-of-date>2023-10-24</as-of-date><reasoning>r</reasoning><action>moon</action>",
        expect![[r#"
        1 kept
        [unknown_action] t.xml:2:68: error: unknown action `moon` (known: STRONG_BUY, BUY, HOLD, SELL, STRONG_SELL and their usual spellings, such as overweight, neutral, reduce)
    "#]],
    );
    check_body(
        "<ticker>A B</ticker><as-of-date>2023-10-24</as-of-date><reasoning>r</reasoning><action>buy</action>",
        expect![[r#"
        1 kept
        [bad_ticker] t.xml:2:9: error: `A B` is not a ticker: it has a character other than letters, digits and . - ^ = /
    "#]],
    );
    check_body(
        "<as-of-date>2023-10-24</as-of-date><action>buy</action><reasoning>r</reasoning><action>sell</action>",
        expect![[r#"
        1 kept
        [ambiguous] t.xml:2:88: error: a second <action> in one thesis
    "#]],
    );
    check_body(
        &format!("<as-of-date>2023-10-24</as-of-date>{GOOD}"),
        expect![[r#"
        1 kept
        [malformed] t.xml:2:44: error: a thesis inside of a thesis; is a `</thesis>` missing?
    "#]],
    );
    check(
        GOOD,
        ParseOptions::default(),
        expect![[r#"
        0 kept
        [no_ticker] t.xml:1:1: error: no ticker: neither the thesis nor an element around it has one
    "#]],
    );
}

#[test]
fn oddities_are_told_and_the_thesis_is_kept() {
    check_body(
        "<as-of-date>2023-10-24</as-of-date><reasoning>r</reasoning><action>buy</action><mood/>\
         <indicators><a>1</a><a>2</a><b>soon</b><indicator>3</indicator></indicators>",
        expect![[r#"
            2 kept
            t.xml:2:88: warning: unknown element <mood> is ignored
            t.xml:2:115: warning: indicator `a` stands there twice; the first one counts
            t.xml:2:123: warning: indicator `b`: `soon` is no number; it becomes null
            t.xml:2:134: warning: an indicator without a name is ignored
        "#]],
    );
    check(
        "<stock-theses ticker='T'/>",
        ParseOptions::default(),
        expect![[r#"
        0 kept
        t.xml:1:1: warning: the file holds no <thesis>
    "#]],
    );
}

#[test]
fn options_decide_about_the_future_and_about_swapped_dates() {
    let xml = format!("<stock-theses ticker='T'>{GOOD}</stock-theses>");
    let as_of = |day| ParseOptions {
        as_of: Some(AsOfDate::parse(day).unwrap()),
        ..ParseOptions::default()
    };
    check(
        &xml,
        as_of("2023-10-24"),
        expect![[r#"
        1 kept
    "#]],
    );
    check(
        &xml,
        as_of("2023-10-23"),
        expect![[r#"
        0 kept
        [future_date] t.xml:1:34: error: the date 2023-10-24 lies after 2023-10-23, up to which theses are taken
    "#]],
    );
    let swapped = xml.replace("2023-10-24", "03/04/2023");
    let options = ParseOptions { date_order: DateOrder::DayFirst, ..ParseOptions::default() };
    let parsed = parse_theses("t.xml", swapped.as_bytes(), &options);
    assert_eq!(parsed.theses[0].thesis.as_of_date.to_string(), "2023-04-03");
}

#[test]
fn a_fault_in_one_thesis_leaves_the_others_alone() {
    let bad = GOOD.replace("<reasoning>r", "<reasoning>a < b & c");
    check(
        &format!("<stock-theses ticker='T'>\n{GOOD}\n{bad}\n{GOOD}\n</stock-theses>"),
        ParseOptions::default(),
        expect![[r#"
            2 kept
            [malformed] t.xml:3:58: error: invalid name token
            t.xml:3:58: error: the file is not well-formed (invalid name token); its theses were read one by one
        "#]],
    );
    check(
        &format!("<stock-theses ticker='T'>\n{GOOD}\n<thesis><as-of-date>2023-10-24</as"),
        ParseOptions::default(),
        expect![[r#"
            1 kept
            [malformed] t.xml:3:1: error: the thesis is not closed: `</thesis>` is missing
            t.xml:1:1: error: the file is not well-formed (unexpected end of stream); its theses were read one by one
        "#]],
    );
    check(
        &format!(
            "<stock-theses ticker='T'>{GOOD}</stock-theses>\n<stock-theses ticker='U'>{GOOD}</stock-theses>"
        ),
        ParseOptions::default(),
        expect![[r#"
            2 kept
            t.xml:2:1: error: the file is not well-formed (unknown token); its theses were read one by one
        "#]],
    );
}
