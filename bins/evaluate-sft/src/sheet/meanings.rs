use backtest_report::Meaning;

const MEANINGS: [(&str, &str); 12] = [
    (
        "Loss, perplexity",
        "Mean −ln p of the reference's tokens, each after the true ones before it, and e to that. Lower is better; 1 would be certainty.",
    ),
    (
        "Accuracy",
        "The share of answers whose action is the analyst's. An answer without an action is wrong.",
    ),
    (
        "Macro F1",
        "The mean over actions of the harmonic mean of precision and recall: rare actions count as much as common ones.",
    ),
    (
        "Valid tags",
        "The share of answers that keep the grammar of reasoning, support and action to the letter.",
    ),
    (
        "Probabilities",
        "p of the whole text of each action where the answer names its action, given prompt and answer so far; divided by their sum over the five.",
    ),
    (
        "Calibration error",
        "Rows in bins of confidence: the mean distance of confidence and share of right ones, weighted by rows. 0 is best.",
    ),
    (
        "Temperature",
        "One number that log-probabilities are divided by, fitted on the validation split. Above 1, the model was too sure.",
    ),
    (
        "Brier score",
        "Squared distance of the five probabilities to the label, 0 to 2; always one fifth each would have 0.8.",
    ),
    (
        "BLEU, chrF, ROUGE",
        "How many pieces of text answer and reference share. They say how alike texts are, not how right.",
    ),
    (
        "Cosine of reasoning",
        "Of the means of the base model's final hidden states over the reasoning of answer and reference. The base model measures both models.",
    ),
    (
        "Hit rate",
        "The share of buys whose forward return is above 0 and of sells whose is below. Holds are left out.",
    ),
    (
        "IC",
        "Rank correlation of calls and forward returns, −1 to 1. Of months: the mean of each month's, with its t-statistic.",
    ),
];

/// What each figure means.
pub(super) fn meanings() -> Vec<Meaning> {
    let meaning =
        |(name, text): (&str, &str)| Meaning { name: name.to_owned(), text: text.to_owned() };
    MEANINGS.into_iter().map(meaning).collect()
}
