//! Texts against reference texts.

mod bleu;
mod chrf;
mod embedding_cosine;
mod ngrams;
mod porter_stemmer;
mod python_whitespace;
mod rouge;
mod tokenize_13a;

pub use bleu::{BleuScore, corpus_bleu, sentence_bleu};
pub use chrf::{corpus_chrf, corpus_chrf_plus_plus, sentence_chrf, sentence_chrf_plus_plus};
pub use embedding_cosine::{cosine_similarity, mean_cosine_similarity};
pub use rouge::{RougeScore, RougeScores, Stemming, mean_rouge, rouge};
pub use tokenize_13a::tokenize_13a;
