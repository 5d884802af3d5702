//! Edges and properties of the metrics of texts.

use eval_metrics::MetricError;
use eval_metrics::text::{
    RougeScore, RougeScores, Stemming, corpus_bleu, corpus_chrf, corpus_chrf_plus_plus,
    cosine_similarity, mean_cosine_similarity, mean_rouge, rouge, sentence_bleu, sentence_chrf,
    sentence_chrf_plus_plus, tokenize_13a,
};
use proptest::prelude::*;

#[test]
fn corpora_must_pair_up() {
    let none: [&str; 0] = [];
    let too_few = MetricError::TooFew { needed: 1, got: 0 };
    let lengths = MetricError::Lengths { left: 1, right: 2 };
    let errors = |hypotheses: &[&str], references: &[&str]| {
        [
            corpus_bleu(hypotheses, references).err(),
            corpus_chrf(hypotheses, references).err(),
            corpus_chrf_plus_plus(hypotheses, references).err(),
            mean_rouge(hypotheses, references, Stemming::Off).err(),
        ]
    };
    assert_eq!(errors(&none, &none), [Some(too_few); 4]);
    assert_eq!(errors(&["a"], &["a", "b"]), [Some(lengths); 4]);
}

#[test]
fn empty_texts_score_0() {
    for (hypothesis, reference) in [("", ""), ("", "a b"), ("a b", ""), (" \n", "\u{a0}")] {
        assert_eq!(sentence_bleu(hypothesis, reference).score, 0.0);
        assert_eq!(sentence_chrf(hypothesis, reference), 0.0);
        assert_eq!(sentence_chrf_plus_plus(hypothesis, reference), 0.0);
        assert_eq!(rouge(hypothesis, reference, Stemming::Porter), RougeScores::default());
    }
    assert_eq!(corpus_bleu(&["", ""], &["", ""]).unwrap().score, 0.0);
}

#[test]
fn short_texts() {
    assert!((sentence_bleu("Buy", "Buy").score - 100.0).abs() < 1e-9);
    // sacrebleu has no effective order for a corpus.
    assert_eq!(corpus_bleu(&["Buy"], &["Buy"]).unwrap().score, 0.0);
    assert_eq!(sentence_chrf("a", "a"), 100.0);
}

#[test]
fn tokens_of_13a() {
    let check = |line: &str, want: &str| assert_eq!(tokenize_13a(line).join(" "), want, "{line}");
    check("4.5%, $1,234.56.", "4.5 % , $ 1,234.56 .");
    check("1-2 a-b -3", "1 - 2 a-b -3");
    check("&lt;b&gt; &amp;amp; &quot;", "< b > & amp ; \"");
    check("guid-\nance\nup", "guidance up");
    check("...", ". . .");
    check("", "");
}

#[test]
fn other_scripts_have_no_rouge() {
    assert_eq!(rouge("株価は上昇", "株価は上昇", Stemming::Off), RougeScores::default());
    assert!(sentence_chrf("株価は上昇", "株価は下落") > 10.0);
}

/// Several subsequences are the longest, and which one counts shows: values of rouge-score 0.1.2.
#[test]
fn of_equal_subsequences_that_of_rouge_score_counts() {
    let got = rouge("a c\nc c b", "c a a\na c b c", Stemming::Off).rouge_l_sum;
    assert_eq!((got.precision, got.recall), (1.0, 5.0 / 7.0));
}

#[test]
fn means_are_over_texts() {
    let got = mean_rouge(&["a b", "c"], &["a b", "d"], Stemming::Off).unwrap();
    let half = RougeScore { precision: 0.5, recall: 0.5, f1: 0.5 };
    assert_eq!((got.rouge1, got.rouge_l, got.rouge_l_sum), (half, half, half));
    assert_eq!(got.rouge2.f1, 0.5);
}

#[test]
fn cosines() {
    let check = |left: &[f32], right: &[f32], want: f64| {
        let got = cosine_similarity(left, right).unwrap();
        assert!((got - want).abs() < 1e-7, "{got}");
    };
    check(&[1.0, 0.0], &[0.0, 2.0], 0.0);
    check(&[1.0, 2.0], &[-2.0, -4.0], -1.0);
    check(&[3.0, 4.0], &[3.0, 4.0], 1.0);
    check(&[f32::MAX, 0.0], &[f32::MIN_POSITIVE, 0.0], 1.0);
    check(&[1.0, 1.0], &[1.0, 0.0], std::f64::consts::FRAC_1_SQRT_2);
    let undefined = |got| assert!(matches!(got, Err(MetricError::Undefined { .. })));
    undefined(cosine_similarity(&[0.0, 0.0], &[1.0, 0.0]));
    undefined(mean_cosine_similarity(&[[1.0_f32], [0.0]], &[[1.0_f32], [1.0]]));
    assert_eq!(cosine_similarity(&[], &[]), Err(MetricError::TooFew { needed: 1, got: 0 }));
    let nan = cosine_similarity(&[1.0, f32::NAN], &[1.0, 1.0]);
    assert_eq!(nan, Err(MetricError::NotFinite { index: 1 }));
    let rows = [vec![1.0_f32, 0.0], vec![1.0, 0.0]];
    let mean = mean_cosine_similarity(&rows, &[[1.0_f32, 0.0], [0.0, 1.0]]);
    assert_eq!(mean, Ok(0.5));
    assert_eq!(mean_cosine_similarity(&rows[..1], &rows[..1]), Ok(1.0));
    assert!(mean_cosine_similarity(&rows, &[[1.0_f32, 0.0]]).is_err());
}

proptest! {
    #[test]
    fn a_text_is_like_itself(words in prop::collection::vec("[a-z]{1,8}", 4..30)) {
        let text = words.join(" ");
        prop_assert!((sentence_bleu(&text, &text).score - 100.0).abs() < 1e-9);
        prop_assert!((corpus_bleu(&[&text], &[&text]).unwrap().score - 100.0).abs() < 1e-9);
        prop_assert!((sentence_chrf(&text, &text) - 100.0).abs() < 1e-9);
        for stemming in [Stemming::Off, Stemming::Porter] {
            let RougeScores { rouge1, rouge2, rouge_l, rouge_l_sum } = rouge(&text, &text, stemming);
            for score in [rouge1, rouge2, rouge_l, rouge_l_sum] {
                prop_assert_eq!(score, RougeScore { precision: 1.0, recall: 1.0, f1: 1.0 });
            }
        }
    }

    #[test]
    fn any_text_scores_in_range(left in ".{0,60}", right in "(.|[a-z ,.0-9\n]){0,60}") {
        let percent = 0.0..=100.0 + 1e-9;
        prop_assert!(percent.contains(&sentence_bleu(&left, &right).score));
        prop_assert!(percent.contains(&sentence_chrf(&left, &right)));
        prop_assert!(percent.contains(&sentence_chrf_plus_plus(&right, &left)));
        let scores = rouge(&left, &right, Stemming::Porter);
        for score in [scores.rouge1, scores.rouge2, scores.rouge_l, scores.rouge_l_sum] {
            prop_assert!((0.0..=1.0).contains(&score.f1));
        }
        prop_assert!(scores.rouge_l.f1 <= scores.rouge1.f1 + 1e-12);
        // Precision of one side is recall of the other.
        let turned = rouge(&right, &left, Stemming::Porter);
        prop_assert_eq!(scores.rouge1.precision, turned.rouge1.recall);
        prop_assert_eq!(scores.rouge_l.recall, turned.rouge_l.precision);
    }
}
