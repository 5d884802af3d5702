//! What calls were worth against forward returns.
