//! Texts against reference texts.
