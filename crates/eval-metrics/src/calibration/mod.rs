//! How far probabilities can be taken at their word.
