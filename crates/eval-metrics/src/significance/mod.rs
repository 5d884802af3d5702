//! Whether a difference could be luck.
