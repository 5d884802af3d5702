use backtest_report::Meaning;

/// What each figure means, how it is computed, and what to mind.
pub(super) fn meanings() -> Vec<Meaning> {
    let meaning = |(name, text): &(&str, &str)| Meaning {
        name: (*name).to_owned(),
        text: (*text).to_owned(),
    };
    MEANINGS.iter().map(meaning).collect()
}

const MEANINGS: [(&str, &str); 18] = [
    (
        "Interval",
        "Rows of one date, and of dates near each other, are not independent: whole dates are drawn again, in circular \
         blocks of neighbouring ones, and the interval lies between percentiles of the figure over all draws. A block \
         has the cube root of the number of dates, or as many as lie within the forward window if that is more, and at \
         most a quarter of them. With few dates the interval is too narrow. Tuned and base are drawn together.",
    ),
    (
        "Accuracy, precision, recall, F1",
        "Accuracy: right calls over all rows. Precision of an action: its right calls over its calls. Recall: its right \
         calls over its labels. F1: their harmonic mean. Macro F1 is the plain mean over the actions that occur among \
         the labels, so that rare ones count as much as common ones.",
    ),
    (
        "Matthews correlation, Cohen's kappa",
        "Agreement of calls and labels that allows for how common each is: 1 for all right, 0 for what chance gives. No \
         action is a class of its own.",
    ),
    (
        "Loss and perplexity",
        "The mean of −ln p over the tokens of the references, each predicted from the true ones before it, in nats; all \
         tokens count the same. Perplexity is e to it: among how many equally likely tokens the model chooses, as it \
         were. Only models with the same tokens can be compared.",
    ),
    (
        "Valid tags",
        "The share of answers that are <reasoning>…</reasoning><support>…</support><action>…</action> with a known action \
         and nothing else. Other answers are read as far as they can be, each under the name of its worst fault.",
    ),
    (
        "BLEU, chrF, ROUGE",
        "Shares of common words, characters or their sequences between an answer's text and the reference's. BLEU and \
         chrF are of all texts together and have no interval; ROUGE is a mean of rows, without stemming. They measure \
         the wording, not whether it is true.",
    ),
    (
        "Cosine of reasoning",
        "The cosine of the angle between the means of the base model's last hidden states over both texts; the base model \
         measures both models. Any two texts about stocks are alike: compare with the base model's own.",
    ),
    (
        "Probabilities and confidence",
        "The model's probabilities of the whole word of each action where an answer names its action, given the prompt and \
         the answer so far, divided by their sum over the five. Confidence is the highest of the five.",
    ),
    (
        "Calibration error (ECE)",
        "Rows are put into bins of equal width by confidence; the error is the mean of |accuracy − mean confidence| over \
         the bins, weighted by rows (Naeini et al., 2015; Guo et al., 2017). It depends on the bins, and noise in small \
         bins makes it larger.",
    ),
    (
        "Temperature",
        "One number that all logarithms of probabilities are divided by, chosen on the validation split for the least log \
         loss (Guo et al., 2017). It changes no call. Held within 0.01 and 100.",
    ),
    (
        "Brier score, log loss",
        "Brier: squared distances of the five probabilities to the label, summed, 0 to 2. Log loss: −ln of the label's \
         probability, in nats. Both reward being right and knowing how sure to be.",
    ),
    (
        "Hit rate",
        "Of buys and sells whose return is known, the share whose return has their sign. Holds are left out; a return of \
         exactly 0 is a miss. In a rising market always buying has a high one: see the share of returns above 0.",
    ),
    (
        "Direction",
        "Of all rows with a known return, the share whose call has the return's direction; a hold says that it is flat, \
         which with the default band of 0 it hardly ever is.",
    ),
    (
        "Return of a call",
        "The mean of the forward return of buys and of minus that of sells: what a call brought before costs. Windows \
         overlap, so this is no return of a portfolio; the backtest has that.",
    ),
    (
        "Spread",
        "The mean return of the most bullish action that was called minus that of the most bearish one; t is Welch's and \
         takes calls for independent.",
    ),
    (
        "Information coefficient",
        "Spearman's rank correlation of score and forward return, −1 to 1, over all rows, and as the mean over the months \
         of as-of dates with t = mean / (standard deviation / √months). Months with fewer than three rows, or whose \
         scores or returns are all equal, have none.",
    ),
    (
        "McNemar's test",
        "Among the rows that one model alone has right, whether one has more than a fair coin would give it (McNemar, \
         1947). It takes rows for independent.",
    ),
    (
        "Diebold and Mariano's test",
        "Whether the mean difference of losses, date by date, is further from 0 than its long-run variance explains \
         (Diebold and Mariano, 1995; Harvey, Leybourne and Newbold, 1997).",
    ),
];
